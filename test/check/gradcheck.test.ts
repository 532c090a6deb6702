import { describe, expect, it } from "vitest";
import { GradcheckError, gradcheck } from "../../src/check/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { arange, ones, randn, tensor, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { dropout, linear, log, mul, relu, softmax, sqrt, sum, tanh } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { record, type Tensor, wrt } from "../../src/tensor.ts";
import { square } from "./support/elementwise.ts";
import { thrownBy } from "./support/thrown.ts";

const kernels = float64;
const random = (...shape: number[]): Tensor => randn(shape, { random: new RandomStream(11) });
const right = square((x, dy) => 2 * x * dy);
const half = square((x, dy) => x * dy);
const at = tensor([[0.5, 2]]);

describe("gradcheck of what is right", () => {
  it("reports every entry of a small function, and the largest error", () => {
    const report = gradcheck(right, [random(2, 3)]);
    expect(report).toEqual({
      name: "square",
      compared: "entries",
      count: 36,
      error: expect.any(Number),
      at: expect.stringMatching(/^input 0 at \[[01], [012]\]$/),
      tolerance: expect.any(Number),
      seed: 1,
      step: 1e-3,
    });
    const largest = Math.max(...random(2, 3).data.map((x) => Math.abs(2 * x)));
    expect(report.tolerance).toBeCloseTo(1e-9 + 1e-8 * largest, 16);
    expect(report.error).toBeLessThan(report.tolerance);
  });

  it("reports random directions of a large one, at the count that fullUpTo sets", () => {
    expect(gradcheck(right, [random(50, 50)])).toMatchObject({ compared: "directions", count: 4 });
    expect(gradcheck(right, [random(2, 3)], { fullUpTo: 35 })).toMatchObject({ compared: "directions" });
    expect(gradcheck(right, [random(2, 3)], { fullUpTo: 36 })).toMatchObject({ compared: "entries" });
    const { at, error, tolerance } = gradcheck(linear, [random(20, 30), random(10, 30), random(10)]);
    expect(at).toMatch(/^along random direction [0-3]$/);
    expect(error).toBeLessThan(tolerance);
  });

  it("takes tensors of any precision, and leaves them as they were", () => {
    for (const x of [random(3), randn([3], { kernels, random: new RandomStream(11) })]) {
      const before = x.toArray();
      expect(gradcheck(tanh, [x]).count).toBe(9);
      expect(x.toArray()).toEqual(before);
      expect(x.requiresGrad).toBe(false);
      expect(x.grad).toBeNull();
    }
  });

  it("has nothing to compare where there are no values", () => {
    expect(gradcheck((x) => sum(x), [zeros([2, 0])])).toMatchObject({ count: 0, at: null, error: 0 });
    expect(gradcheck(softmax, [zeros([0, 3])])).toMatchObject({ count: 0 });
  });

  it("passes a function that draws, when it restarts its stream, and one that returns its input", () => {
    gradcheck((x) => dropout(x, { probability: 0.5, random: new RandomStream(3) }), [random(4)]);
    gradcheck((x) => x, [random(4)]);
  });

  it("calls one op by its name, several by their function's, and any as it is told", () => {
    expect(
      gradcheck(
        function energy(x) {
          return sum(mul(x, x));
        },
        [at],
      ).name,
    ).toBe("energy");
    expect(gradcheck((x) => tanh(x), [at]).name).toBe("tanh");
    expect(gradcheck(tanh, [at], { name: "squash" }).name).toBe("squash");
  });

  it("draws others with another seed, and the same with the same", () => {
    const errorOf = (seed: number): number => gradcheck(tanh, [random(60)], { seed }).error;
    expect(errorOf(2)).toBe(errorOf(2));
    expect(errorOf(2)).not.toBe(errorOf(3));
  });
});

/** An op whose pullback does what it should, after `meddle`. */
const meddling =
  (meddle: (x: Tensor, y: Float64Array, dy: Float64Array) => void) =>
  (x: Tensor): Tensor => {
    const y = Float64Array.from(x.data);
    return record("meddling", y, x.shape, [
      wrt(x, (dx, dy) => {
        for (let i = 0; i < dx.length; i++) dx[i] += dy[i];
        meddle(x, y, dy as Float64Array);
      }),
    ]);
  };

describe("gradcheck of what is wrong", () => {
  it.each<[message: string, call: () => unknown]>([
    [
      `gradcheck: square, input 0 at [0, 1]: backward says 2, central difference 4 (relative 5.0e-1 > 1.0e-8, seed 17)
  hint: backward is 1/2 of the difference at every entry: a contribution is missing, such as that of the second x in x · x, or the 1/2 of a mean is taken twice (2 is the size of axis 1)
  smallest case: input 0 = [[2]]`,
      () => gradcheck(half, [at], { seed: 17 }),
    ],
    [
      `gradcheck: half, input 0 "x" at [0, 1]: backward says 2, central difference 4 (relative 5.0e-1 > 1.0e-8, seed 1)
  hint: backward is 1/2 of the difference at every entry: a contribution is missing, such as that of the second x in x · x, or the 1/2 of a mean is taken twice (2 is the size of axis 1)
  smallest case: input 0 "x" = [[2]]`,
      () => gradcheck(half, [at], { name: "half", names: ["x"] }),
    ],
    [
      `gradcheck: square, input 0 at [0, 0]: a zero cotangent gives the gradient 1; every term of a pullback has dy as a factor (seed 1)
  smallest case: input 0 = [[0.5]]`,
      () =>
        gradcheck(
          square((x, dy) => 2 * x * dy + 1),
          [at],
        ),
    ],
    [
      "gradcheck: constant: its result does not depend on any input; is it computed inside noGrad, or detached? (seed 1)",
      () =>
        gradcheck(
          function constant() {
            return arange(2, { kernels });
          },
          [at],
        ),
    ],
    [
      "gradcheck: linear: input 1 does not reach the result, so nothing of it would be checked; fn must compute with the tensors that it is handed (seed 1)",
      () => {
        const weight = randn([4, 3], { kernels, random: new RandomStream(1) });
        return gradcheck((x) => linear(x, weight), [random(2, 3), weight]);
      },
    ],
    [
      `gradcheck: log: the result is NaN at [1], first seen at log; a derivative needs finite numbers: choose inputs inside the function's domain (seed 1)
  smallest case: input 0 = [-2]`,
      () => gradcheck(log, [tensor([1, -2])]),
    ],
    [
      `gradcheck: log: the result is finite, but NaN at [0] when its inputs move by 0.002; keep them away from the edge of the function's domain, or pass a smaller step (seed 1)
  smallest case: input 0 = [0.001]`,
      () => gradcheck(log, [tensor([2 ** -10])]),
    ],
    [
      `gradcheck: sqrt, input 0 at [1]: backward says Infinity, from a finite result; move the input if there is no finite derivative there, else look for a division by 0 in the pullback (seed 1)
  smallest case: input 0 = [0]`,
      () => gradcheck(sqrt, [tensor([4, 0])]),
    ],
    [
      "gradcheck: meddling, input 0 at [0, 1]: the forward pass changed its input from 2 to -0 (seed 1)",
      () =>
        gradcheck(
          (x) => {
            const y = meddling(() => {})(x);
            x.data[1] = -0;
            return y;
          },
          [at],
        ),
    ],
    [
      "gradcheck: meddling, input 0 at [0, 0]: the backward pass changed its input from 0.5 to 7 (seed 1)",
      () =>
        gradcheck(
          meddling((x) => x.data.fill(7)),
          [at],
        ),
    ],
    [
      "gradcheck: meddling: the backward pass changed the result of meddling from 0.5 to 7; a pullback writes to the buffer it is handed first and to nothing else (seed 1)",
      () =>
        gradcheck(
          meddling((_, y) => y.fill(7)),
          [at],
        ),
    ],
    [
      "gradcheck: growing: its result was [2] and is now [3]; its shape must depend on the inputs' shapes alone (seed 1)",
      () => {
        let calls = 0;
        const growing = (x: Tensor): Tensor => {
          const y = Float64Array.from({ length: 2 + calls++ }, () => x.data[0]);
          return record("growing", y, [y.length], [wrt(x, () => {})]);
        };
        return gradcheck(growing, [at]);
      },
    ],
  ])("says: %s", (message, call) => {
    expect(call).toThrow(GradcheckError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("finds a pullback that writes to the cotangent it is handed", () => {
    const { message, law } = thrownBy(() =>
      gradcheck(
        meddling((_, __, dy) => dy.fill(0)),
        [at],
      ),
    );
    expect(law).toBe("untouched");
    expect(message).toMatch(
      /^gradcheck: meddling: a pullback changed the cotangent it is handed at \[0, 0\] from \S+ to 0; other pullbacks read it too \(seed 1\)$/,
    );
  });

  it("finds a backward that is not linear in its cotangent", () => {
    const { message, law } = thrownBy(() =>
      gradcheck(
        square((x, dy) => 2 * x * dy ** 3),
        [at],
      ),
    );
    expect(law).toBe("linear");
    expect(message).toContain(
      "; the derivative depends on the inputs, never on dy (seed 1)\n  smallest case: input 0 = [[0.5]]",
    );
  });

  it("finds a pullback that assigns where it should add", () => {
    const bad = (x: Tensor): Tensor =>
      record("assigning", x.data.slice(), x.shape, [wrt(x, (dx, dy) => dx.set(dy))]);
    const { message, law } = thrownBy(() => gradcheck(bad, [at]));
    expect(law).toBe("adds");
    expect(message).toMatch(
      /^gradcheck: assigning, input 0 at \[0, 0\]: going back twice gives \S+ instead of \S+; a pullback adds with \+= and never assigns \(seed 1\)\n {2}smallest case: input 0 = \[\[0.5\]\]$/,
    );
  });

  it("explains a function that draws anew each time, in its result or in its gradient alone", () => {
    const stream = new RandomStream(3);
    const draws = thrownBy(() =>
      gradcheck((x) => dropout(x, { probability: 0.5, random: stream }), [random(40)]),
    );
    expect(draws.law).toBe("repeatable");
    expect(draws.message).toMatch(
      /^gradcheck: dropout: two passes over the same inputs give \S+ and \S+ at \[\d+\]; does it draw random numbers or keep a state\? Let it restart its stream, or put dropout into evaluation mode \(seed 1\)$/,
    );
    const back = thrownBy(() =>
      gradcheck(
        square((x, dy) => 2 * x * dy * stream.uniform()),
        [at],
      ),
    );
    expect(back.law).toBe("repeatable");
    expect(back.message).toMatch(
      /^gradcheck: square, input 0 at \[0, 0\]: two backward passes give \S+ and \S+; does it draw/,
    );
  });

  it("finds one wrong entry among ten thousand, and names it", () => {
    const bad = square((x, dy, i) => (i === 7777 ? 1 : 2) * x * dy);
    const { message, hint } = thrownBy(() => gradcheck(bad, [random(100, 100)]));
    expect(message).toMatch(
      /^gradcheck: square, input 0 at \[77, 77\]: backward says \S+, central difference \S+ \(relative 5\.0e-1 > \S+, seed 1\)$/,
    );
    expect(hint).toBeNull();
  });

  it("finds a wrong entry whichever input it is in, behind a large right one", () => {
    const bad = (x: Tensor, b: Tensor): Tensor =>
      record(
        "shifted",
        x.data.map((value, i) => value + b.data[i] ** 2),
        x.shape,
        [
          wrt(x, (dx, dy) =>
            dx.forEach((_, i) => {
              dx[i] += dy[i];
            }),
          ),
          wrt(b, (db, dy) =>
            db.forEach((_, i) => {
              db[i] += (i === 123 ? 1 : 2) * b.data[i] * dy[i];
            }),
          ),
        ],
      );
    expect(thrownBy(() => gradcheck(bad, [random(400), random(400)])).message).toContain(
      "shifted, input 1 at [123]: ",
    );
  });

  it("tells numbers apart that differ late", () => {
    const { message } = thrownBy(() =>
      gradcheck(
        square((x, dy) => 2 * (1 + 1e-7) * x * dy),
        [tensor([1])],
      ),
    );
    expect(message).toContain(
      "backward says 2.0000002, central difference 2 (relative 1.0e-7 > 1.0e-8, seed 1)",
    );
  });
});

describe("gradcheck of wrong arguments", () => {
  it.each<[code: string, message: string, call: () => unknown]>([
    ["value", "gradcheck: expected a function of tensors, got 3", () => gradcheck(3 as never, [at])],
    ["value", "gradcheck: expected a list of input tensors, such as [x]", () => gradcheck(relu, at as never)],
    ["value", "gradcheck: expected at least one input tensor, got none", () => gradcheck(relu, [])],
    [
      "value",
      "gradcheck: input 1 must be a tensor, got 3; wrap it in tensor(…)",
      () => gradcheck(relu, [at, 3 as never]),
    ],
    [
      "value",
      "gradcheck: input 0 is NaN at [0, 1], and must be finite",
      () => gradcheck(relu, [tensor([[1, Number.NaN]])]),
    ],
    [
      "value",
      'gradcheck: unknown option "steps"; possible are seed, step, fullUpTo, name, names',
      () => gradcheck(relu, [at], { steps: 1 } as never),
    ],
    [
      "value",
      "gradcheck: step must be a finite number above 0, got 0",
      () => gradcheck(relu, [at], { step: 0 }),
    ],
    [
      "value",
      "gradcheck: seed must be a whole number of at least 0, got 1.5",
      () => gradcheck(relu, [at], { seed: 1.5 }),
    ],
    [
      "value",
      "gradcheck: fullUpTo must be a whole number of at least 0, got -1",
      () => gradcheck(relu, [at], { fullUpTo: -1 }),
    ],
    [
      "value",
      "gradcheck: the function must return a tensor, got 3",
      () => gradcheck((() => 3) as never, [at]),
    ],
    [
      "kernels",
      "gradcheck: the function returned a float32 tensor for float64 inputs; make what it returns in the set of its operands, with x.kernels",
      () => gradcheck(() => ones([2]), [at]),
    ],
    [
      "kernels",
      "gradcheck: the function runs in float64, and so must all that it reads: hand that in as an input, make it with { kernels: float64 }, or leave a module's tensors to gradcheckModule, which finds them in its fields; mul: operands live in two kernel sets, float64 and float32; make both with the same",
      () => gradcheck((x) => mul(x, ones([2])), [at]),
    ],
  ])("says with the code %s: %s", (code, message, call) => {
    expect(call).toThrow(new DistilgradError(code as "value", message));
  });

  it("lets an error of the function through as it is", () => {
    const error = new Error("mine");
    expect(() =>
      gradcheck(() => {
        throw error;
      }, [at]),
    ).toThrow(error);
  });
});
