import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Standardizer } from "../../src/data/standardizer.ts";
import { DistilgradError } from "../../src/errors.ts";
import { tensor, zeros } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";

describe("Standardizer", () => {
  it("measures mean and deviation of every column, divided by n", () => {
    const scale = new Standardizer(
      tensor([
        [1, 10],
        [3, 10],
        [5, 40],
      ]),
    );
    expect([...scale.mean]).toEqual([3, 20]);
    expect([...scale.deviation]).toEqual([Math.sqrt(8 / 3), Math.sqrt(200)]);
  });

  it("gives the measured rows mean 0 and deviation 1", () => {
    const value = fc.float({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 20 }), (values) => {
        fc.pre(new Set(values.map((v) => v + 0)).size > 1);
        const x = tensor(values, { shape: [values.length, 1] });
        const y = [...new Standardizer(x).apply(x).data];
        const n = y.length;
        // Every y is rounded once, and |y| ≤ √n; the mean in float64 is nothing beside.
        const rounding = 2 ** -24 * Math.sqrt(n) + 1e-9;
        expect(Math.abs(y.reduce((sum, v) => sum + v, 0) / n)).toBeLessThanOrEqual(rounding);
        expect(Math.abs(y.reduce((sum, v) => sum + v * v, 0) / n - 1)).toBeLessThanOrEqual(3 * rounding);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("applies what the training rows gave to other rows", () => {
    const scale = new Standardizer(tensor([[0], [4]]));
    expect(scale.apply(tensor([[2], [10]])).toArray()).toEqual([[0], [4]]);
  });

  it("is made again from what another one measured, such as one that was saved", () => {
    const x = tensor([
      [1, 7],
      [4, 7],
      [9, 7],
    ]);
    const first = new Standardizer(x);
    const saved = JSON.stringify({ mean: [...first.mean], deviation: [...first.deviation] });
    const again = new Standardizer(JSON.parse(saved));
    expect(again).toEqual(first);
    expect(again.apply(x).toArray()).toEqual(first.apply(x).toArray());
  });

  it.each([
    { mean: [], deviation: [] },
    { mean: [0], deviation: [1, 1] },
    { mean: [Number.NaN], deviation: [1] },
    { mean: [0], deviation: [-1] },
    { mean: [0], deviation: [Number.POSITIVE_INFINITY] },
    { mean: ["0"], deviation: [1] },
    { mean: null, deviation: null },
  ])("refuses a scale that nobody can have measured: %j", (scale) => {
    expect(() => new Standardizer(scale as never)).toThrow(
      new DistilgradError(
        "value",
        "Standardizer: expected a finite mean and a finite deviation of at least 0 for each column",
      ),
    );
  });

  it.each([float32, float64])("only centres a constant column, exactly, in $name", (kernels) => {
    // The float64 sum of seven times 0.1 is not 0.7.
    const x = tensor(
      Array.from({ length: 7 }, () => [0.1, 1e8 + 1]),
      { kernels },
    );
    const scale = new Standardizer(x);
    expect([...scale.deviation]).toEqual([0, 0]);
    expect([...scale.apply(x).data]).toEqual(Array(14).fill(0));
    expect([...scale.apply(tensor([[x.data[0], x.data[1] + 8]], { kernels })).data]).toEqual([0, 8]);
  });

  it("keeps the digits of a small deviation on a large mean", () => {
    const x = tensor([[1e9], [1e9 + 1]], { kernels: float64 });
    expect([...new Standardizer(x).deviation]).toEqual([0.5]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses %d with its place: it would spoil the column",
    (bad) => {
      const x = tensor([
        [0, 3],
        [1, bad],
      ]);
      expect(() => new Standardizer(x)).toThrow(
        new DistilgradError("data", `Standardizer: x must be finite, got ${bad} at row 1, column 1`),
      );
    },
  );

  it("refuses to measure what has no rows or no columns by name, with the shape", () => {
    const message = (shape: string): string =>
      `Standardizer: expected x [rows, columns] with at least one row, got ${shape}`;
    expect(() => new Standardizer(zeros([0, 3]))).toThrow(new DistilgradError("data", message("[0, 3]")));
    expect(() => new Standardizer(zeros([3]))).toThrow(new DistilgradError("data", message("[3]")));
    expect(() => new Standardizer(zeros([2, 3, 1]))).toThrow(
      new DistilgradError("data", message("[2, 3, 1]")),
    );
  });

  it("refuses to apply itself to other columns", () => {
    const scale = new Standardizer(zeros([2, 3]));
    expect(() => scale.apply(zeros([2, 4]))).toThrow(
      new DistilgradError("data", "Standardizer: expected [rows, 3], got [2, 4]"),
    );
    expect(() => scale.apply(zeros([3]))).toThrow(
      new DistilgradError("data", "Standardizer: expected [rows, 3], got [3]"),
    );
  });
});
