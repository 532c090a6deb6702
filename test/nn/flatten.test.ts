import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { arange, ones, zeros } from "../../src/factories.ts";
import { Flatten, Linear, Reshape, Sequential } from "../../src/nn/index.ts";
import { reshape } from "../../src/ops/reshape.ts";
import type { Tensor } from "../../src/tensor.ts";

const images = reshape(arange(2 * 3 * 4 * 5), [2, 3, 4, 5]);

describe("Flatten", () => {
  it.each<[x: Tensor, shape: number[]]>([
    [images, [2, 60]],
    [ones([2, 3]), [2, 3]],
    [ones([4]), [4, 1]],
    [zeros([0, 3, 4]), [0, 12]],
    [zeros([2, 0, 4]), [2, 0]],
  ])("keeps rows and lines up the rest: %#", (x, shape) => {
    const y = new Flatten().forward(x);
    expect(y.shape).toEqual(shape);
    expect(y.storage).toBe(x.storage);
  });

  it("refuses a scalar, which has no rows", () => {
    expect(() => new Flatten().forward(ones([]))).toThrow(
      new DistilgradError("shape", "Flatten: expected rows [N, …], got []"),
    );
  });
});

describe("Reshape", () => {
  it("gives each row its shape, and Flatten takes it away again", () => {
    const model = new Sequential({ image: new Reshape([3, 4, 5]), rows: new Flatten() });
    const { logits, features } = model.features(reshape(images, [2, 60]));
    expect(features.get("image")!.shape).toEqual([2, 3, 4, 5]);
    expect(logits.shape).toEqual([2, 60]);
    expect(logits.storage).toBe(images.storage);
  });

  it.each<[x: Tensor, shape: number[], result: number[]]>([
    [ones([6, 1]), [], [6]],
    [ones([6]), [1, 1], [6, 1, 1]],
    [zeros([0, 64]), [8, 8], [0, 8, 8]],
  ])("keeps the number of rows: %#", (x, shape, result) => {
    expect(new Reshape(shape).forward(x).shape).toEqual(result);
  });

  it("hands gradients back in the shape that they came from", () => {
    const layer = new Linear(2, 4);
    new Reshape([2, 2]).forward(layer.forward(ones([3, 2]))).backward(ones([3, 2, 2]));
    expect(layer.bias!.grad!.toArray()).toEqual([3, 3, 3, 3]);
  });

  it("keeps a shape of its own", () => {
    const shape = [2, 2];
    const layer = new Reshape(shape);
    shape.fill(5);
    expect(layer.forward(ones([3, 4])).shape).toEqual([3, 2, 2]);
  });

  it.each<[call: () => unknown, message: string]>([
    [
      () => new Reshape([1, 8, 8]).forward(ones([2, 63])),
      "Reshape: expected x [N, …] with rows of 64 values for [1, 8, 8], got [2, 63]",
    ],
    [
      () => new Reshape([]).forward(ones([])),
      "Reshape: expected x [N, …] with rows of 1 values for [], got []",
    ],
    [() => new Reshape([-1, 2]), "Reshape: sizes are whole numbers of at least 0, got [-1, 2]"],
    [() => new Reshape(64 as unknown as number[]), "Reshape: expected a shape such as [2, 3], got 64"],
  ])("refuses what does not fit: %#", (call, message) => {
    expect(call).toThrow(new DistilgradError("shape", message));
  });
});
