"""The workloads of workloads.js in numpy: the same sizes, and the same bits from the same hash."""

import math

import numpy as np

WORKLOADS = {
    "W1": dict(index=321, student=[64, 32, 10], teacher=[64, 128, 128, 10], batch=32),
    "W2": dict(index=572, student=[784, 64, 10], teacher=[784, 256, 256, 10], batch=64),
    "W3": dict(index=3, student=[784, 800, 800, 10], teacher=[784, 1200, 1200, 10], batch=128, momentum=True),
    "W4": dict(index=4, student=[784, 1200, 1200, 10], batch=128),
    "W5": dict(index=195, student=[784, 64, 10], teacher=[784, 256, 64, 10], batch=64, features=True),
    "W6": dict(index=6, student=[784, 10], batch=64, images=True),
}


def hash32(x):
    x = x.astype(np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def hashes(seed, count):
    key = hash32(np.array([(seed * 0x9E3779B9 + 12345) % 2**32], dtype=np.uint64))[0]
    return hash32(np.arange(count, dtype=np.uint32) + key)


def uniform(seed, count, scale, shift=0.0):
    return ((hashes(seed, count).astype(np.float64) / 2**31 - 1) * scale + shift).astype(np.float32)


def layers_of(workload, role):
    """`(weight, bias)` of each layer, a weight `[out, in]` or `[out, in, 3, 3]`."""
    if workload.get("images"):
        shapes = [(8, 1, 3, 3), (16, 8, 3, 3), (10, 784)]
    else:
        widths = workload[role]
        shapes = [(out, inputs) for inputs, out in zip(widths, widths[1:])]
    seed = workload["index"] * 10_000 + (1001 if role == "teacher" else 1)
    layers = []
    for l, shape in enumerate(shapes):
        fan_in = math.prod(shape[1:])
        scale, bias_scale = (
            (math.sqrt(6 / fan_in), 0.1) if role == "teacher" else (1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
        )
        weight = uniform(seed + 2 * l, math.prod(shape), scale).reshape(shape)
        layers.append((weight, uniform(seed + 2 * l + 1, shape[0], bias_scale)))
    return layers


def batches_of(workload):
    rows, width = workload["batch"], workload["student"][0]
    shape = (rows, 1, 28, 28) if workload.get("images") else (rows, width)
    first = workload["index"] * 10_000 + 5000
    return [
        (
            uniform(first + 2 * k, rows * width, 0.5, 0.5).reshape(shape),
            (hashes(first + 2 * k + 1, rows) % np.uint32(10)).astype(np.int64),
        )
        for k in range(4)
    ]
