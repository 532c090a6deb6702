import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { mul, sum } from "../../src/ops/index.ts";
import { clipGradNorm, clipGradValue } from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor.ts";

/** Parameters with these gradients. */
function withGradients(gradients: Record<string, readonly number[]>): Map<string, Tensor> {
  return new Map(
    Object.entries(gradients).map(([name, gradient]) => {
      const w = tensor(
        gradient.map(() => 0),
        { requiresGrad: true },
      );
      sum(mul(w, tensor(gradient))).backward();
      return [name, w];
    }),
  );
}

const gradientsOf = (parameters: Map<string, Tensor>): unknown[] =>
  [...parameters.values()].map((w) => w.grad?.toArray());

describe("clipGradNorm", () => {
  it("shortens all gradients together and returns the length that they had", () => {
    const parameters = withGradients({ a: [3], b: [0, 4] });
    expect(clipGradNorm(parameters, 2.5)).toBe(5);
    expect(gradientsOf(parameters)).toEqual([[1.5], [0, 2]]);
  });

  it("leaves a short gradient as it is, to the last bit, and one that is just as long", () => {
    const parameters = withGradients({ a: [3], b: [0, 4] });
    expect(clipGradNorm(parameters, 5)).toBe(5);
    expect(gradientsOf(parameters)).toEqual([[3], [0, 4]]);
  });

  it("keeps the direction and ends at maxNorm", () => {
    const gradient = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(gradient, fc.float({ min: Math.fround(0.01), max: 50, noNaN: true }), (g, maxNorm) => {
        const parameters = withGradients({ a: g.slice(0, 2), b: g.slice(2) });
        const norm = clipGradNorm(parameters, maxNorm);
        const factor = norm > maxNorm ? maxNorm / norm : 1;
        const clipped = [...parameters.values()].flatMap((w) => [...w.grad!.data]);
        // One rounding of each product, and a denormal's half.
        for (const [i, value] of clipped.entries()) {
          expect(Math.abs(value - g[i] * factor)).toBeLessThanOrEqual(2 ** -24 * Math.abs(value) + 2 ** -150);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("passes over parameters without a gradient", () => {
    const parameters = withGradients({ a: [3, 4] });
    parameters.set("none", tensor([1], { requiresGrad: true }));
    expect(clipGradNorm(parameters, 1)).toBe(5);
    expect(parameters.get("none")!.grad).toBeNull();
  });

  it("sums squares in float64: a gradient of 1e30 has a length", () => {
    expect(clipGradNorm(withGradients({ a: [3e30, 4e30] }), 1)).toBeCloseTo(5e30, -24);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a gradient of %d by name and clips nothing",
    (bad) => {
      const parameters = withGradients({ a: [3], b: [bad, 4] });
      expect(() => clipGradNorm(parameters, 1)).toThrow(
        new DistilgradError("nonfinite", 'clipGradNorm: the gradient of "b" is not finite'),
      );
      expect(gradientsOf(parameters)[0]).toEqual([3]);
    },
  );

  it.each([0, -1, Number.NaN])("refuses maxNorm %d", (maxNorm) => {
    expect(() => clipGradNorm(withGradients({ a: [1] }), maxNorm)).toThrow(
      new DistilgradError("value", `clipGradNorm: maxNorm must be above 0, got ${maxNorm}`),
    );
  });
});

describe("clipGradValue", () => {
  it("cuts every entry to the limit on either side; NaN stays NaN", () => {
    const parameters = withGradients({ a: [3, -0.5, Number.NEGATIVE_INFINITY], b: [Number.NaN, -4] });
    parameters.set("none", tensor([1], { requiresGrad: true }));
    clipGradValue(parameters, 2);
    expect(gradientsOf(parameters)).toEqual([[2, -0.5, -2], [Number.NaN, -2], undefined]);
  });

  it.each([0, -1, Number.NaN])("refuses the limit %d", (limit) => {
    expect(() => clipGradValue(withGradients({ a: [1] }), limit)).toThrow(
      new DistilgradError("value", `clipGradValue: limit must be above 0, got ${limit}`),
    );
  });
});
