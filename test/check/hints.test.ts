import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/index.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Floats } from "../../src/kernels/kernels.ts";
import { RandomStream } from "../../src/random.ts";
import type { Shape } from "../../src/shape.ts";
import { record, type Tensor, wrt } from "../../src/tensor.ts";
import { elementwise, square } from "./support/elementwise.ts";
import { thrownBy } from "./support/thrown.ts";

const in64 = { kernels: float64 };
const x = (...shape: number[]): Tensor => randn(shape, { kernels: float64, random: new RandomStream(5) });

/** An op of one operand from its values and its pullback. */
const op =
  (
    shape: (x: Tensor) => Shape,
    values: (x: Tensor) => number[],
    pullback: (dx: Floats, dy: Floats, x: Tensor) => void,
  ) =>
  (x: Tensor): Tensor =>
    record("op", Float64Array.from(values(x)), shape(x), [wrt(x, (dx, dy) => pullback(dx, dy, x))]);

const each = (dx: Floats, share: (i: number) => number): void => {
  for (let i = 0; i < dx.length; i++) dx[i] += share(i);
};

/** The mean over rows of Σ x², whose pullback has a factor of its own in place of 2/rows. */
const meanOfRows = (factor: (rows: number) => number) =>
  op(
    () => [],
    ({ data, shape }) => [[...data].reduce((sum, value) => sum + value * value, 0) / shape[0]],
    (dx, dy, { data, shape }) => each(dx, (i) => factor(shape[0]) * data[i] * dy[0]),
  );

/** x Wᵀ of a square W, with the product that the pullback takes instead of dy W. */
const product =
  (back: "matmul" | "matmulTransposedB") =>
  (x: Tensor, w: Tensor): Tensor => {
    const [rows, n] = x.shape;
    const y = float64.alloc(rows * n);
    float64.matmulTransposedB(y, x.data, w.data, rows, n, n);
    return record(
      "product",
      y,
      [rows, n],
      [
        wrt(x, (dx, dy) => float64[back](dx, dy, w.data, rows, n, n)),
        wrt(w, (dw, dy) => float64.matmulTransposedA(dw, dy, x.data, n, rows, n)),
      ],
    );
  };

/** W x for one x, whose pullback for W is filled as if W were [in, out]. */
const filledAcross = (w: Tensor): Tensor => {
  const [rows, columns] = w.shape;
  const v = Array.from({ length: columns }, (_, j) => 1 + j);
  const y = Float64Array.from({ length: rows }, (_, i) =>
    v.reduce((sum, value, j) => sum + value * w.data[i * columns + j], 0),
  );
  return record(
    "across",
    y,
    [rows],
    [
      wrt(w, (dw, dy) => {
        for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) dw[j * rows + i] += v[j] * dy[i];
      }),
    ],
  );
};

/** x + b of rows and one row, with the pullback of b. */
const addRow =
  (back: (db: Floats, dy: Floats) => void) =>
  (x: Tensor, b: Tensor): Tensor =>
    record(
      "addRow",
      x.data.map((value, i) => value + b.data[i % b.size]),
      x.shape,
      [wrt(x, (dx, dy) => each(dx, (i) => dy[i])), wrt(b, back)],
    );

/** x[0], x[1], x[1], x[2], with the pullback that is given. */
const places = [0, 1, 1, 2];
const taken = (back: (dx: Floats, dy: Floats) => void) =>
  op(
    () => [places.length],
    ({ data }) => places.map((place) => data[place]),
    back,
  );

describe("the hint", () => {
  it.each<[hint: string, check: () => unknown]>([
    [
      "backward is 0 everywhere: the pullback adds nothing",
      () =>
        gradcheck(
          square(() => 0),
          [x(2, 3)],
        ),
    ],
    [
      "backward hands the cotangent on as it is: the derivative itself is missing from the pullback",
      () =>
        gradcheck(
          square((_, dy) => dy),
          [x(2, 3)],
        ),
    ],
    [
      "backward hands the cotangent on as it is: the derivative itself is missing from the pullback",
      () =>
        gradcheck(
          elementwise(
            "threefold",
            (x) => 3 * x,
            (_, dy) => dy,
          ),
          [x(2, 3)],
        ),
    ],
    [
      "the difference is 0 everywhere: the function is constant around these inputs, like a rounding, and backward is not its derivative",
      () =>
        gradcheck(
          elementwise("round", Math.round, (_, dy) => dy),
          [x(2, 3)],
        ),
    ],
    [
      "backward is 5 times the difference at every entry: the 1/5 of a mean is missing (5 is the size of axis 0)",
      () =>
        gradcheck(
          meanOfRows(() => 2),
          [x(5, 3)],
        ),
    ],
    [
      "backward is 1/5 of the difference at every entry: the 1/5 of a mean is taken twice (5 is the size of axis 0)",
      () =>
        gradcheck(
          meanOfRows((rows) => 2 / rows / rows),
          [x(5, 3)],
        ),
    ],
    [
      "backward is 15 times the difference at every entry: the 1/15 of a mean is missing (there are 15 values)",
      () =>
        gradcheck(
          op(
            () => [],
            ({ data }) => [[...data].reduce((sum, v) => sum + v / 15, 0)],
            (dx, dy) => each(dx, () => dy[0]),
          ),
          [x(5, 3)],
        ),
    ],
    [
      "backward is -1 times the difference at every entry: the sign is wrong",
      () =>
        gradcheck(
          square((x, dy) => -2 * x * dy),
          [x(3)],
        ),
    ],
    [
      "backward is 2 times the difference at every entry: a contribution is counted twice",
      () =>
        gradcheck(
          square((x, dy) => 4 * x * dy),
          [x(3)],
        ),
    ],
    [
      "backward is 1/2 of the difference at every entry: a contribution is missing, such as that of the second x in x · x",
      () =>
        gradcheck(
          square((x, dy) => x * dy),
          [x(3)],
        ),
    ],
    [
      "backward is 16 times the difference at every entry: a factor such as T² at T = 4",
      () =>
        gradcheck(
          square((x, dy) => 32 * x * dy),
          [x(3)],
        ),
    ],
    [
      "backward is 1/16 of the difference at every entry: a factor such as T² at T = 4 is missing",
      () =>
        gradcheck(
          square((x, dy) => (2 / 16) * x * dy),
          [x(3)],
        ),
    ],
    [
      "backward is 0.7 times the difference at every entry: a constant factor",
      () =>
        gradcheck(
          square((x, dy) => 1.4 * x * dy),
          [x(3)],
        ),
    ],
    [
      "backward gives the transpose of the gradient, its last two axes exchanged",
      () => gradcheck(filledAcross, [x(2, 3)]),
    ],
    [
      "backward multiplies by the Jacobian where its transpose belongs; is a factor to be transposed?",
      () => gradcheck(product("matmulTransposedB"), [x(2, 3), x(3, 3)]),
    ],
    [
      "backward gives each entry the sum over axis 1, where each needs its own share only",
      () =>
        gradcheck(
          op(
            ({ shape }) => shape,
            ({ data }) => [...data].map((value) => 3 * value),
            (dx, dy) => each(dx, (i) => 3 * (dy[i - (i % 3)] + dy[i - (i % 3) + 1] + dy[i - (i % 3) + 2])),
          ),
          [x(2, 3)],
        ),
    ],
    [
      "backward keeps 1 of the 4 contributions to each entry: is the sum over a broadcast axis missing?",
      () =>
        gradcheck(
          addRow((db, dy) => each(db, (i) => dy[i])),
          [x(4, 3), x(3)],
        ),
    ],
    [
      "backward keeps only the last of the contributions to each entry: is there an = where += belongs?",
      () =>
        gradcheck(
          addRow((db, dy) => {
            const sum = new Float64Array(db.length);
            for (let i = 0; i < dy.length; i++) sum[i % db.length] = dy[i];
            each(db, (i) => sum[i]);
          }),
          [x(4, 3), x(3)],
        ),
    ],
    [
      "backward is off only at entries that are used more than once, and keeps one contribution of each: is there an = where += belongs?",
      () =>
        gradcheck(
          taken((dx, dy) => {
            const sum = new Float64Array(dx.length);
            for (const [i, place] of places.entries()) sum[place] = dy[i];
            each(dx, (i) => sum[i]);
          }),
          [x(4)],
        ),
    ],
    [
      "cut to [25, 70], backward is 25 times the difference at every entry: the 1/25 of a mean is missing (25 is the size of axis 0), or a factor such as T² at T = 5",
      () =>
        gradcheck(
          meanOfRows(() => 2),
          [x(50, 70)],
        ),
    ],
  ])("is: %s", (hint, check) => {
    const error = thrownBy(check);
    expect(error).toMatchObject({ law: "differences", hint });
    expect(error.message).toContain(`\n  hint: ${hint}\n  smallest case: `);
  });

  it("is none for what is right", () => {
    gradcheck(
      meanOfRows((rows) => 2 / rows),
      [x(5, 3)],
    );
    gradcheck(product("matmul"), [x(2, 3), x(3, 3)]);
    gradcheck(
      taken((dx, dy) => {
        for (const [i, place] of places.entries()) dx[place] += dy[i];
      }),
      [x(4)],
    );
  });

  it("is none for a gradient that is wrong in no pattern", () => {
    const size = fc.integer({ min: 1, max: 4 });
    const cases = fc.tuple(size, size, size, fc.integer({ min: 0, max: 2 ** 31 }));
    fc.assert(
      fc.property(cases, ([rows, columns, outputs, seed]) => {
        const random = new RandomStream(seed, "wrong");
        const matrix = (): Float64Array =>
          Float64Array.from({ length: outputs * rows * columns }, () => random.normal());
        const [forward, backward] = [matrix(), matrix()];
        const inputs = rows * columns;
        const product = op(
          () => [outputs],
          ({ data }) =>
            Array.from({ length: outputs }, (_, o) =>
              [...data].reduce((sum, value, j) => sum + forward[o * inputs + j] * value, 0),
            ),
          (dx, dy) =>
            each(dx, (j) => [...dy].reduce((sum, value, o) => sum + backward[o * inputs + j] * value, 0)),
        );
        expect(thrownBy(() => gradcheck(product, [x(rows, columns)])).hint).toBeNull();
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("is none where a factor is not the same everywhere, or there is one entry only", () => {
    expect(
      thrownBy(() =>
        gradcheck(
          square((x, dy) => (2 + x) * dy),
          [tensor([1, 2])],
        ),
      ).hint,
    ).toBeNull();
    expect(
      thrownBy(() =>
        gradcheck(
          square((x, dy) => x * dy),
          [tensor([1])],
        ),
      ).hint,
    ).toBeNull();
  });
});

describe("the smallest case", () => {
  it("keeps axes that must match equal, and the entry that fails", () => {
    const bad = (a: Tensor, b: Tensor): Tensor =>
      record(
        "scaled",
        a.data.map((value, i) => value * b.data[i]),
        a.shape,
        [
          wrt(a, (da, dy) => each(da, (i) => (a.data[i] > 0.9 ? 2 : 1) * b.data[i] * dy[i])),
          wrt(b, (db, dy) => each(db, (i) => a.data[i] * dy[i])),
        ],
      );
    const a = x(3, 40);
    a.update((data) => {
      for (let i = 0; i < data.length; i++) data[i] = i === 97 ? 1.234 : 0.1;
    });
    const error = thrownBy(() => gradcheck(bad, [a, x(3, 40)], { seed: 3 }));
    expect(error.message).toContain("scaled, input 0 at [2, 17]: ");
    const { inputs, options } = error.case;
    expect(inputs.map(({ shape }) => shape)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(inputs[0].toArray()).toEqual([[1]]);
    expect(options).toEqual({ seed: 3, step: 1e-3 });
    expect(error.message).toMatch(/\n {2}smallest case: input 0 = \[\[1\]\], input 1 = \[\[-?[\d.]+\]\]$/);
    const again = thrownBy(() => gradcheck(bad, inputs, options));
    expect(again.law).toBe("differences");
  });

  it("fails at the same input, even where another would with simpler values", () => {
    const bad = (a: Tensor, b: Tensor): Tensor =>
      record(
        "scaled",
        a.data.map((value, i) => value * b.data[i]),
        a.shape,
        [
          wrt(a, (da, dy) => each(da, (i) => (a.data[i] === 1.234 ? 2 : 1) * b.data[i] * dy[i])),
          wrt(b, (db, dy) => each(db, (i) => 1.1 * a.data[i] * dy[i])),
        ],
      );
    const error = thrownBy(() => gradcheck(bad, [tensor([0.5, 1.234], in64), tensor([3.21, 3.21], in64)]));
    expect(error.message).toContain("scaled, input 0 at [1]: ");
    expect(error.case.inputs.map((input) => input.toArray())).toEqual([[1.234], [3]]);
  });

  it("gives no hint that the inputs as they were would contradict", () => {
    const bad = (x: Tensor): Tensor =>
      elementwise(
        "softsign",
        (v) => v / (1 + Math.abs(v)),
        (v, dy) => dy / (1 + Math.abs(v)) ** (x.size > 1 ? 1 : 2),
      )(x);
    const error = thrownBy(() => gradcheck(bad, [tensor([-1, 1, 2, 3])]));
    expect(error.case.inputs[0].toArray()).toEqual([-1, 1]); // where the factor happens to be 2
    expect(error.hint).toBeNull();
  });

  it("is as large as the failure needs, and not printed when that is much", () => {
    const bad = square((x, dy, i) => (i === 19 ? 1 : 2) * x * dy);
    const error = thrownBy(() => gradcheck(bad, [x(24)]));
    expect(error.case.inputs[0].shape).toEqual([20]);
    expect(error.message).not.toContain("smallest case");
  });

  it("never holds a value of 0, nor one that moves the failure to a kink", () => {
    const bad = elementwise(
      "bad",
      (x) => Math.abs(x) * x,
      (x, dy) => Math.abs(x) * dy,
    );
    const { inputs } = thrownBy(() => gradcheck(bad, [tensor([0.004, -0.03])])).case;
    expect(inputs[0].toArray()).toEqual([-0.03]);
  });

  it("gives up a search that takes long", () => {
    let values = 0;
    const bad = (x: Tensor): Tensor => {
      values += x.size;
      const long = x.size > 1500; // so that only one entry can be left out at a time
      return square((x, dy, i) => (long && i === 0 ? 1 : 2) * x * dy)(x);
    };
    const { inputs } = thrownBy(() => gradcheck(bad, [x(3000)])).case;
    expect(inputs[0].size).toBeGreaterThan(1501);
    expect(inputs[0].size).toBeLessThan(3000);
    expect(values).toBeLessThan(2.5e7); // two searches of 1e7 each, and what led to them
  });
});
