import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear } from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";

describe("Linear", () => {
  it("maps rows by x Wᵀ + b, with the weight [out, in]", () => {
    const layer = new Linear(2, 3);
    layer.weight.update((data) => data.set([1, 2, 3, 4, 5, 6]));
    layer.bias!.update((data) => data.set([10, 20, 30]));
    expect(layer.weight.shape).toEqual([3, 2]);
    expect(
      layer
        .forward(
          tensor([
            [1, 1],
            [1, -1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [13, 27, 41],
      [9, 19, 29],
    ]);
    expect(layer.forward(tensor([1, 0])).toArray()).toEqual([11, 23, 35]);
  });

  it("has no bias when it is told so, and then draws none", () => {
    const stream = new RandomStream(1);
    const layer = new Linear(2, 3, { bias: false, random: stream });
    expect(layer.bias).toBeNull();
    expect([...layer.parameters().keys()]).toEqual(["weight"]);
    const other = new RandomStream(1);
    for (let i = 0; i < 6; i++) other.uniform();
    expect(stream.state()).toEqual(other.state());
    expect(layer.forward(zeros([1, 2])).toArray()).toEqual([[0, 0, 0]]);
  });

  it("starts uniform within ±1/√in, weight and bias, as PyTorch's does", () => {
    const layer = new Linear(100, 500, { random: new RandomStream(1) });
    const bound = 0.1;
    for (const [name, values] of layer.parameters()) {
      const numbers = [...values.data];
      const largest = Math.max(...numbers.map(Math.abs));
      expect(largest, name).toBeLessThanOrEqual(Math.fround(bound));
      // The largest of n uniform magnitudes stays below bound·(1 − 20/n) with probability e⁻²⁰.
      expect(largest, name).toBeGreaterThan(bound * (1 - 20 / numbers.length));
      // Five standard errors: of a mean b/√(3n), of a mean square (b²/3)·√(4/(5n)).
      const n = numbers.length;
      const mean = numbers.reduce((sum, w) => sum + w, 0) / n;
      const square = numbers.reduce((sum, w) => sum + w * w, 0) / n;
      expect(Math.abs(mean), name).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
      expect(Math.abs(square / (bound ** 2 / 3) - 1), name).toBeLessThan(5 * Math.sqrt(4 / (5 * n)));
    }
  });

  it("draws its weight row by row, then its bias: pinned", () => {
    const layer = new Linear(2, 2, { random: new RandomStream(1, "init") });
    expect(layer.weight.toArray()).toEqual([
      [0.5491430163383484, -0.48881661891937256],
      [-0.3225170373916626, -0.2643989324569702],
    ]);
    expect(layer.bias!.toArray()).toEqual([0.1764822155237198, 0.6902778744697571]);
    const wide = new Linear(2, 2, { random: new RandomStream(1, "init"), kernels: float64 });
    expect([...wide.weight.data].map(Math.fround)).toEqual([...layer.weight.data]);
  });

  it("starts as it is told to", () => {
    const layer = new Linear(2, 3, { init: (shape, options) => ones(shape, options) });
    expect(layer.weight.toArray()).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(layer.weight.requiresGrad).toBe(true);
  });

  it("lives in the kernel set it is given, float32 by default", () => {
    expect(new Linear(1, 1).weight.kernels).toBe(float32);
    const wide = new Linear(1, 1, { kernels: float64 });
    expect([wide.weight.kernels, wide.bias!.kernels]).toEqual([float64, float64]);
  });

  it("adds up the gradients of weight and bias", () => {
    const layer = new Linear(2, 1);
    layer.forward(tensor([[2, 3]])).backward(ones([1, 1]));
    layer.forward(tensor([[2, 3]])).backward(ones([1, 1]));
    expect(layer.weight.grad!.toArray()).toEqual([[4, 6]]);
    expect(layer.bias!.grad!.toArray()).toEqual([2]);
  });

  it.each([
    [0, 1, "in", 0],
    [1.5, 1, "in", 1.5],
    [2, -1, "out", -1],
    [2, Number.NaN, "out", Number.NaN],
  ])("refuses %d inputs and %d outputs", (inputs, outputs, name, got) => {
    expect(() => new Linear(inputs, outputs)).toThrow(
      new DistilgradError("value", `Linear: ${name} must be a whole number of at least 1, got ${got}`),
    );
  });

  it("refuses rows of another width with both shapes", () => {
    expect(() => new Linear(4, 2).forward(zeros([2, 3]))).toThrow(
      new DistilgradError(
        "shape",
        "linear: expected x [rows, in] and weight [out, in], got x [2, 3] and weight [2, 4]",
      ),
    );
  });
});
