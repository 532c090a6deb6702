/** What each mode keeps, and what it makes of the rest. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordSoftTargets, type SoftTargetMode, type SoftTargets } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { arange, tensor, zeros } from "../../../src/factories.ts";
import { softTargetLoss } from "../../../src/ops/index.ts";
import { reshape } from "../../../src/ops/reshape.ts";
import type { Tensor } from "../../../src/tensor.ts";

/** One sample a row of logits. */
const samples = (rows: number): Tensor => reshape(arange(rows), [rows, 1]);
const kept = (logits: readonly (readonly number[])[], mode: SoftTargetMode): SoftTargets =>
  recordSoftTargets(() => tensor(logits), { x: samples(logits.length) }, { mode, teacherName: "table" });
const readBack = (logits: readonly number[], mode: SoftTargetMode): number[] => [
  ...kept([logits], mode).forward(samples(1)).data,
];
const float32s = (length: number, size: number): fc.Arbitrary<number[]> =>
  fc.array(fc.float({ min: -size, max: size, noNaN: true }), { minLength: length, maxLength: length });

/** log Σ exp, in float64. */
function logSumExp(values: readonly number[]): number {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
}

describe("float32", () => {
  it("keeps every logit to the last bit", () => {
    fc.assert(
      fc.property(float32s(4, Math.fround(3e38)), (logits) => {
        expect(readBack(logits, "float32")).toEqual(logits);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe("float16", () => {
  it("keeps every logit to the nearest half", () => {
    expect(readBack([1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -65519, 1e-9, -0], "float16")).toEqual([
      1,
      1,
      1 + 2 ** -9,
      -65504,
      0,
      -0,
    ]);
  });

  it("refuses a logit beyond ±65504, naming row and class", () => {
    for (const logit of [65520, -1e9]) {
      expect(() =>
        kept(
          [
            [1, 2],
            [3, logit],
          ],
          "float16",
        ),
      ).toThrow(
        new DistilgradError(
          "value",
          `recordSoftTargets: expected logits within ±65504, where float16 ends, got ${logit} for row 1, class 1; take "float32"`,
        ),
      );
    }
  });
});

describe("the likeliest classes", () => {
  it("keep their logits; of equal ones the first class is the likelier", () => {
    const logits = [0.5, 3, -1, 3, 3];
    expect(readBack(logits, { top: 2, rest: "nothing" })).toEqual([-Infinity, 3, -Infinity, 3, -Infinity]);
    const spread = readBack(logits, { top: 2, rest: "spread" });
    expect([spread[1], spread[3]]).toEqual([3, 3]);
  });

  it("with the rest spread, have the teacher's own probability at temperature 1, and the others share theirs evenly", () => {
    fc.assert(
      fc.property(float32s(7, 20), fc.integer({ min: 1, max: 6 }), (logits, top) => {
        const read = readBack(logits, { top, rest: "spread" });
        const order = logits.map((_, j) => j).sort((a, b) => logits[b] - logits[a] || a - b);
        const [first, others] = [order.slice(0, top), order.slice(top)];
        const rest = logSumExp(others.map((j) => logits[j]));
        // Rounded twice: the log-sum-exp as it is kept, and the logit; of numbers up to 20 + log 7 < 32.
        const error = 2 * 2 ** -20;
        for (const j of others) {
          expect(Math.abs(read[j] - (rest - Math.log(others.length)))).toBeLessThanOrEqual(error);
        }
        for (const j of first) {
          expect(read[j]).toBe(logits[j]);
          const [own, teacher] = [read[j] - logSumExp(read), logits[j] - logSumExp(logits)];
          expect(Math.abs(own - teacher)).toBeLessThanOrEqual(error + 1e-12);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("with nothing for the rest, share 1 in their proportions at every temperature, which the soft target loss takes", () => {
    const logits = [2, -1, 0.5, -3];
    const answer = kept([logits], { top: 2, rest: "nothing" }).forward(samples(1));
    const z = tensor([[0.1, 0.2, 0.3, 0.4]], { requiresGrad: true });
    for (const temperature of [1, 4]) {
      const loss = softTargetLoss(z, answer, { temperature });
      const p = (j: number): number =>
        [0.1, 0.2, 0.3, 0.4][j] / temperature - logSumExp([0.1, 0.2, 0.3, 0.4].map((v) => v / temperature));
      const q = (j: number): number =>
        logits[j] / temperature - logSumExp([2, 0.5].map((v) => v / temperature));
      const expected = [0, 2].reduce((sum, j) => sum + Math.exp(q(j)) * (q(j) - p(j)), 0);
      expect(Math.abs(loss.item() - temperature ** 2 * expected)).toBeLessThanOrEqual(1e-6 * loss.item());
      loss.backward();
    }
    expect([...z.grad!.data].every(Number.isFinite)).toBe(true);
  });

  it("keep classes beyond 2¹⁶, which take more bytes", () => {
    const bytes = (classes: number): number => {
      const logits = Float32Array.from({ length: classes }, (_, j) => (j === classes - 1 ? 9 : 0));
      const targets = recordSoftTargets(
        () => tensor(logits, { shape: [1, classes] }),
        { x: samples(1) },
        { mode: { top: 1, rest: "nothing" }, teacherName: "table" },
      );
      const read = targets.forward(samples(1)).data;
      expect([read[classes - 2], read[classes - 1]]).toEqual([-Infinity, 9]);
      return targets.stored.records.length;
    };
    expect([65536, 65537].map(bytes)).toEqual([4 + 4 + 2, 4 + 4 + 4]);
  });

  it("have one description, in whatever order their settings are written", () => {
    const [a, b] = [
      kept([[1, 2, 3]], { top: 1, rest: "spread" }),
      kept([[1, 2, 3]], { rest: "spread", top: 1 }),
    ];
    expect(a.bytes()).toEqual(b.bytes());
  });
});

describe("a mode", () => {
  it.each<[unknown, string]>([
    ["float64", 'mode must be "float32", "float16" or { top, rest }, got "float64", a string'],
    [null, 'mode must be "float32", "float16" or { top, rest }, got null'],
    [
      { top: 2 },
      'rest must be "spread" or "nothing", got undefined; it says how likely the classes are that are not kept',
    ],
    [{ top: 0, rest: "spread" }, "top must be a whole number of at least 1, got 0"],
    [
      { top: 3, rest: "spread" },
      'top must be below the number of classes, 3, got 3; to keep all, take "float32"',
    ],
    [{ top: 1, rest: "spread", k: 1 }, 'unknown option "k"; possible are top, rest'],
  ])("is refused: %j", (mode, message) => {
    expect(() => kept([[1, 2, 3]], mode as SoftTargetMode)).toThrow(
      new DistilgradError("value", `recordSoftTargets: ${message}`),
    );
  });
});

describe("logits that are not finite", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("are refused: %d", (logit) => {
    expect(() =>
      kept(
        [
          [0, 0],
          [logit, 0],
        ],
        "float32",
      ),
    ).toThrow(
      new DistilgradError(
        "nonfinite",
        `recordSoftTargets: expected finite logits, got ${logit} for row 1, class 0`,
      ),
    );
  });

  it("are named by epoch under an augmentation", () => {
    const shown = {
      apply: (x: Tensor, _: ArrayLike<number>, epoch: number) => (epoch === 1 ? zeros(x.shape) : x),
    };
    expect(() =>
      recordSoftTargets(
        (x) => tensor([[x.data[0] === 0 ? Number.NaN : 1, 0]]),
        { x: tensor([[1]]) },
        { augment: shown, epochs: 2, teacherName: "table" },
      ),
    ).toThrow("recordSoftTargets: expected finite logits, got NaN for row 0 in epoch 1, class 0");
  });
});
