/** reverseKlLoss: what MiniLLM calls reverse KLD, with a temperature. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { type ReverseKlOptions, reverseKlLoss } from "../../../src/distill/losses/reverse-kl-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import {
  apart,
  in64,
  kl,
  type Loss,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  norm,
  of,
  optionRefusals,
  overRows,
  pass,
  rowsOf,
  softmax,
  sum,
  temperatureRefusals,
} from "./cases.ts";

const at =
  (temperature: number): Loss =>
  (student, teacher) =>
    reverseKlLoss(student, teacher, { temperature });

const temperatures = fc.constantFrom(0.5, 1, 2, 4, 20);
const runs = { seed: 1, numRuns: 100 };

const student = [
  [1, 2, 3],
  [0, 0, 0],
];
const teacher = [
  [3, 1, 0.2],
  [2, -1, 0.5],
];
const { NEGATIVE_INFINITY: out, POSITIVE_INFINITY: infinity, NaN: none } = Number;

const spec: OpSpec = {
  refusesEmpty: true,
  samples: fc.tuple(logitPairs(), temperatures).map(([pair, T]) => {
    const [z, v] = pair.map(rowsOf);
    const expected = T * T * overRows(z, v, (a, b) => kl(softmax(a, T), softmax(b, T)));
    return lossCase(pair, at(T), expected);
  }),
  // T² mean Σ p (log p − log q), in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "T = 1",
      operands: [student, teacher],
      call: at(1),
      value: 1.1707696096066038,
      gradients: [
        [
          [-0.17679042568782688, -0.11347349501056253, 0.2902639206983894],
          [-0.25, 0.25, 0],
        ],
        [
          [0.37299411480553013, -0.06579281479461876, -0.3072013000109114],
          [0.22613185062797125, -0.14711038003132293, -0.07902147059664832],
        ],
      ],
    },
    {
      at: "T = 4",
      operands: [student, teacher],
      call: at(4),
      value: 1.3469212367749737,
      gradients: [
        [
          [-0.38036857099397925, 0.001340840834290058, 0.37902773015968916],
          [-0.25, 0.25, 0],
        ],
        [
          [0.44241948551660376, -0.07619926429743334, -0.3662202212191704],
          [0.2594068172649224, -0.2292205274770405, -0.03018628978788187],
        ],
      ],
    },
    {
      at: "T = 20",
      operands: [student, teacher],
      call: at(20),
      value: 1.3559060052155514,
      gradients: [
        [
          [-0.4244969668192776, 0.053322201881778615, 0.371174764937499],
          [-0.25, 0.25, 0],
        ],
        [
          [0.43652433274102675, -0.06893651450028364, -0.3675878182407431],
          [0.2528865215121753, -0.24664529905389104, -0.006241222458284252],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "a class that the student rules out: 0 · log 0 is 0",
      operands: [[[0, 0, out]], [[0, 0, 0]]],
      call: at(1),
      // ½ log(½ / ⅓) twice
      value: Math.log(1.5),
      gradients: [null, [[1 / 3 - 0.5, 1 / 3 - 0.5, 1 / 3]]],
    },
    {
      at: "a class that both rule out",
      operands: [[[1, 1, out]], [[2, 2, out]]],
      call: at(1),
      value: 0,
      gradients: [[[0, 0, 0]], [[0, 0, 0]]],
    },
    {
      at: "a class that the teacher rules out, and the student does not",
      operands: [[[0, 0]], [[0, out]]],
      call: at(1),
      value: infinity,
    },
    { at: "NaN", operands: [[[none, 0]], [[0, 0]]], call: at(1), value: none },
    {
      at: "one class",
      operands: [
        [[5], [7]],
        [[1], [2]],
      ],
      call: at(3),
      value: 0,
      gradients: [
        [[0], [0]],
        [[0], [0]],
      ],
    },
  ],
  errors: [
    ...logitRefusals("reverseKlLoss", at(4)),
    ...temperatureRefusals("reverseKlLoss", (s, t, options) =>
      reverseKlLoss(s, t, options as ReverseKlOptions),
    ),
    ...optionRefusals("reverseKlLoss", "temperature", (s, t, options) =>
      reverseKlLoss(s, t, options as ReverseKlOptions),
    ),
  ],
};

describe("reverseKlLoss", () => {
  for (const check of opChecks("reverseKlLoss", spec)) it(check.name, () => check.run());

  it("leaves distributions as they are where no temperature is given", () => {
    fc.assert(
      fc.property(logitPairs(), ([z, v]) => {
        expect(pass((s, t) => reverseKlLoss(s, t), z, v)).toEqual(pass(at(1), z, v));
      }),
      runs,
    );
  });

  it("is softTargetLoss with student and teacher exchanged, and so not softTargetLoss", () => {
    fc.assert(
      fc.property(logitPairs({ minClasses: 2 }), temperatures, ([z, v], temperature) => {
        const [reverse, forward] = [
          pass(at(temperature), z, v),
          pass((s, t) => softTargetLoss(t, s, { temperature }), z, v),
        ];
        expect(reverse.value).toBe(forward.value);
        // Shares of the cotangent that are multiplied in another order: three roundings.
        for (const side of ["student", "teacher"] as const) {
          for (const [i, g] of reverse[side].entries()) {
            expect(Math.abs(g - forward[side][i])).toBeLessThanOrEqual(2 ** -51 * Math.abs(g));
          }
        }
      }),
      runs,
    );
    const [z, v] = [in64([[3, 0]]), in64([[0, 0]])];
    expect(reverseKlLoss(z, v).item()).not.toBeCloseTo(softTargetLoss(z, v, { temperature: 1 }).item(), 2);
  });

  it("lets a student off that leaves out one of the teacher's modes, where softTargetLoss does not", () => {
    const [z, v] = [in64([[10, -10]]), in64([[0, 0]])];
    expect(reverseKlLoss(z, v).item()).toBeCloseTo(Math.log(2), 6);
    // ½ · 0 + ½ · 20 − log 2
    expect(softTargetLoss(z, v, { temperature: 1 }).item()).toBeCloseTo(10 - Math.log(2), 6);
  });

  it("is never negative, and exactly 0 with gradients of 0 for equal logits, in both precisions", () => {
    fc.assert(
      fc.property(of([3, 10]), of([3, 10]), temperatures, (v, noise, temperature) => {
        const near = mapped(v, (value, i) => Math.fround(value + 1e-4 * noise.data[i]));
        for (const kernels of [float32, float64]) {
          expect(pass(at(temperature), near, v, kernels).value).toBeGreaterThanOrEqual(0);
          const equal = pass(at(temperature), v, v, kernels);
          expect(Object.is(equal.value, 0)).toBe(true);
          expect([...equal.student, ...equal.teacher].every((g) => g === 0)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("does not change when a constant is added to a row, bit for bit where the sum is exact", () => {
    const eighths = fc.array(fc.integer({ min: -80, max: 80 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(
        eighths,
        eighths,
        fc.integer({ min: -1000, max: 1000 }),
        temperatures,
        (z, v, constant, T) => {
          const matrix = (values: number[], more = 0) => in64([values.map((x) => x / 8 + more)]);
          for (const kernels of [float32, float64]) {
            const plain = pass(at(T), matrix(z), matrix(v), kernels);
            expect(pass(at(T), matrix(z, constant), matrix(v), kernels)).toEqual(plain);
            expect(pass(at(T), matrix(z), matrix(v, constant), kernels)).toEqual(plain);
          }
        },
      ),
      runs,
    );
  });

  it("has gradients that sum to 0 in each row", () => {
    fc.assert(
      fc.property(logitPairs(), temperatures, ([z, v], T) => {
        const { student, teacher } = pass(at(T), z, v);
        const classes = z.shape[1];
        for (const gradient of [student, teacher]) {
          for (let i = 0; i < gradient.length; i += classes) {
            expect(Math.abs(sum(gradient.slice(i, i + classes)))).toBeLessThanOrEqual(1e-13);
          }
        }
      }),
      runs,
    );
  });

  it("has its T²: the size of the gradient stays when T doubles", () => {
    const size = (T: number): number => norm(pass(at(T), student, teacher).student);
    // Relative to |logit|/T ≤ 3e-3 of the expansion.
    expect(Math.abs(size(2000) / size(1000) - 1)).toBeLessThan(3e-3);
    // And tends to the limit of softTargetLoss: half the mean square of differences of centred logits, 1.355 here.
    expect(reverseKlLoss(in64(student), in64(teacher), { temperature: 1e5 }).item()).toBeCloseTo(1.355, 4);
  });

  it("subtracts the maximum before it divides by T: logits of 1e36 at T = 1e-3", () => {
    const { value, student, teacher } = pass(at(1e-3), [[1e36, 0]], [[1e36, 0]], float32);
    expect([value, ...student, ...teacher].every((x) => x === 0)).toBe(true);
  });

  it("is not divided by the number of classes", () => {
    // Classes that both rule out change nothing.
    const wide = (row: number[]): number[] => [...row, out, out, out];
    const [few, many] = [pass(at(2), student, teacher), pass(at(2), student.map(wide), teacher.map(wide))];
    expect(Math.abs(many.value - few.value)).toBeLessThanOrEqual(1e-15);
    expect(apart(many.student.slice(0, 3), few.student.slice(0, 3))).toBeLessThanOrEqual(1e-15);
  });
});
