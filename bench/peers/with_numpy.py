"""numpy on one thread: the steps written by hand, as a careful programmer would without any engine."""

import numpy as np
from process import serve
from workloads import WORKLOADS, batches_of, layers_of, uniform

MILLION = 1_000_000


def outputs(layers, x):
    """All layers' outputs, after their ReLU."""
    every = []
    for l, (w, b) in enumerate(layers):
        x = x @ w.T + b
        if l + 1 < len(layers):
            x = np.maximum(x, 0)
        every.append(x)
    return every


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def step(name):
    workload = WORKLOADS[name]
    if workload.get("images"):
        raise NotImplementedError("convolutions are not written by hand here")
    student = layers_of(workload, "student")
    teacher = layers_of(workload, "teacher") if "teacher" in workload else None
    batches = batches_of(workload)
    parameters = [p for layer in student for p in layer]
    m = [np.zeros_like(p) for p in parameters]
    v = [np.zeros_like(p) for p in parameters]
    scratch = [np.zeros_like(p) for p in parameters]
    momentum = workload.get("momentum")
    count = 0

    def update(gradients):
        if momentum:
            for p, g, velocity, t in zip(parameters, gradients, v, scratch):
                velocity *= np.float32(0.9)
                velocity += g
                np.multiply(velocity, np.float32(0.01), out=t)
                p -= t
            return
        rate = np.float32(1e-3 / (1 - 0.9**count))
        root = np.float32(np.sqrt(1 - 0.999**count))
        for p, g, mean, square, t in zip(parameters, gradients, m, v, scratch):
            np.multiply(g, np.float32(0.1), out=t)
            mean *= np.float32(0.9)
            mean += t
            np.multiply(g, np.float32(0.001), out=t)
            t *= g
            square *= np.float32(0.999)
            square += t
            np.sqrt(square, out=t)
            t /= root
            t += np.float32(1e-8)
            np.divide(mean, t, out=t)
            t *= rate
            p -= t

    def run():
        nonlocal count
        x, labels = batches[count % 4]
        count += 1
        rows = np.arange(len(x))
        own = outputs(student, x)
        log_probs = log_softmax(own[-1])
        loss = -log_probs[rows, labels].mean()
        d = np.exp(log_probs)
        d[rows, labels] -= 1
        d /= len(x)
        taught = None
        if teacher is not None:
            taught = outputs(teacher, x)
            wanted, got = log_softmax(taught[-1] / 4), log_softmax(own[-1] / 4)
            probs = np.exp(wanted)
            soft = (probs * (wanted - got)).sum(1).mean()
            loss = 0.7 * loss + 0.3 * 16 * soft
            d = np.float32(0.7) * d + np.float32(0.3 * 4 / len(x)) * (np.exp(got) - probs)
        gradients = []
        for l in reversed(range(len(student))):
            given = own[l - 1] if l > 0 else x
            gradients[:0] = [d.T @ given, d.sum(0)]
            if l == 0:
                break
            d = d @ student[l][0]
            if workload.get("features") and l == 1:
                difference = own[0] - taught[1]
                loss += 0.3 * np.square(difference).mean()
                d += np.float32(0.3 * 2 / difference.size) * difference
            d *= own[l - 1] > 0
        update(gradients)
        return float(loss)

    return run


def random(seed, *shape):
    return uniform(seed, int(np.prod(shape)), 1).reshape(shape)


def of(function, *given):
    """Runs a function of what stays."""

    def run():
        function(*given)

    return lambda: run


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def one_sample():
    w0, b0, w1, b1 = random(1, 784, 64), random(2, 64), random(3, 64, 10), random(4, 10)
    return of(lambda x: np.maximum(x @ w0 + b0, 0) @ w1 + b1, random(8, 1, 784))()


serve(
    np.__version__,
    {
        **{name: (lambda name=name: step(name)) for name in WORKLOADS},
        **{f"sgemm {n}": of(np.matmul, random(1, n, n), random(2, n, n)) for n in (256, 1024)},
        "one sample": one_sample,
        "relu": of(lambda x: np.maximum(x, 0), random(3, MILLION)),
        "add": of(np.add, random(3, MILLION), random(4, MILLION)),
        "sum": of(np.sum, random(3, MILLION)),
        "softmax": of(softmax, random(7, 128, 1000)),
    },
)
