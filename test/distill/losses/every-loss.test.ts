/** What holds for all losses of distillation, whatever they compare. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logits } from "../../../src/check/fast-check/index.ts";
import * as losses from "../../../src/distill/losses/index.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { samplesOf } from "../../support/samples.ts";
import {
  apart,
  featurePairs,
  type Loss,
  logitPairs,
  mapPairs,
  mapped,
  of,
  pass,
  type Row,
  rowsOf,
} from "./cases.ts";

type Pairs = fc.Arbitrary<readonly [Tensor, Tensor]>;

interface Entry {
  readonly pairs: Pairs;
  /** The loss of rows of a batch, given which ones they are. */
  readonly of: (rows: readonly number[]) => Loss;
  /** What equal answers lose: 0, or something. */
  readonly ofEqual?: "something";
  /** Whether a row's part rests on that row alone, and the loss is the mean of these. */
  readonly rowwise: boolean;
  /** Whether it is composed of ops, which round one after the other. */
  readonly composed?: boolean;
}

const sameShape: Pairs = logitPairs({ minRows: 2, minClasses: 3 });
/** Neither rows nor columns without differences, which have no correlation. */
const uneven = sameShape.filter((pair) =>
  pair.every((x) => {
    const rows = rowsOf(x);
    const varied = (values: Row): boolean => values.some((value) => value !== values[0]);
    return rows.every(varied) && rows[0].every((_, c) => varied(rows.map((row) => row[c])));
  }),
);
const anyRows = (call: Loss) => (): Loss => call;
const labels = [2, 0, 1, 1, 0];

/** Every loss has an entry, or this does not compile. */
const table: Record<keyof typeof losses, Entry> = {
  reverseKlLoss: {
    pairs: sameShape,
    of: anyRows((s, t) => losses.reverseKlLoss(s, t, { temperature: 2 })),
    rowwise: true,
  },
  jensenShannonLoss: {
    pairs: sameShape,
    of: anyRows((s, t) => losses.jensenShannonLoss(s, t, { beta: 0.3 })),
    rowwise: true,
  },
  softCrossEntropyLoss: {
    pairs: sameShape,
    of: anyRows(losses.softCrossEntropyLoss),
    ofEqual: "something",
    rowwise: true,
  },
  logitMatchingLoss: {
    pairs: sameShape,
    of: anyRows(losses.logitMatchingLoss),
    rowwise: true,
    composed: true,
  },
  decoupledDistillationLoss: {
    pairs: sameShape,
    of: (rows) => (s, t) =>
      losses.decoupledDistillationLoss(
        s,
        t,
        rows.map((row) => labels[row]),
      ),
    rowwise: true,
  },
  pearsonCorrelationLoss: { pairs: uneven, of: anyRows(losses.pearsonCorrelationLoss), rowwise: false },
  standardizedLogitsLoss: { pairs: sameShape, of: anyRows(losses.standardizedLogitsLoss), rowwise: true },
  hintLoss: { pairs: sameShape, of: anyRows(losses.hintLoss), rowwise: true, composed: true },
  cosineLoss: { pairs: sameShape, of: anyRows(losses.cosineLoss), rowwise: true },
  attentionTransferLoss: { pairs: mapPairs, of: anyRows(losses.attentionTransferLoss), rowwise: true },
  similarityPreservingLoss: {
    pairs: featurePairs(),
    of: anyRows(losses.similarityPreservingLoss),
    rowwise: false,
  },
  relationalDistanceLoss: {
    pairs: featurePairs(),
    of: anyRows(losses.relationalDistanceLoss),
    rowwise: false,
  },
  relationalAngleLoss: { pairs: featurePairs(), of: anyRows(losses.relationalAngleLoss), rowwise: false },
  probabilisticKnowledgeTransferLoss: {
    // No rows that are opposite for one model alone, which is infinitely wrong.
    pairs: featurePairs({}, { min: 0.3, max: 3 }),
    of: anyRows(losses.probabilisticKnowledgeTransferLoss),
    rowwise: false,
  },
  neuronSelectivityTransferLoss: {
    pairs: mapPairs,
    of: anyRows(losses.neuronSelectivityTransferLoss),
    rowwise: true,
  },
};

const entries = Object.entries(table);
const deep = process.env.DISTILGRAD_DEEP !== undefined;
const runs = { seed: 1, numRuns: deep ? 1000 : 30 };
const every = ({ shape: [rows] }: Tensor): number[] => Array.from({ length: rows }, (_, row) => row);

describe.each(entries)("%s", (_, { pairs, of: lossOf, ofEqual, rowwise, composed }) => {
  it("does not depend on the order of the batch, and its gradients move with their rows", () => {
    fc.assert(
      fc.property(pairs, fc.nat(), ([s, t], turn) => {
        const rows = every(s);
        const order = rows.map((row) => (row + turn) % rows.length).reverse();
        const [plain, turned] = [
          pass(lossOf(rows), s, t),
          pass(lossOf(order), samplesOf(s, order), samplesOf(t, order)),
        ];
        // Sums in another order: a few hundred roundings of numbers of the size of the largest.
        const scale = 1 + plain.value + Math.max(...[...plain.student, ...plain.teacher].map(Math.abs));
        expect(Math.abs(turned.value - plain.value)).toBeLessThanOrEqual(1e-13 * scale);
        for (const side of ["student", "teacher"] as const) {
          const width = plain[side].length / rows.length;
          const expected = order.flatMap((row) => plain[side].slice(row * width, (row + 1) * width));
          expect(apart(turned[side], expected)).toBeLessThanOrEqual(1e-12 * scale);
        }
      }),
      runs,
    );
  });

  it(
    ofEqual === undefined
      ? "is exactly 0 with gradients of 0 for equal answers"
      : "has a gradient of 0 for the student whose answers are the teacher's",
    () => {
      fc.assert(
        fc.property(pairs, ([, t]) => {
          for (const kernels of [float32, float64]) {
            const { value, student, teacher } = pass(lossOf(every(t)), t, t, kernels);
            expect(student.every((g) => g === 0)).toBe(true);
            if (ofEqual !== undefined) continue;
            expect(value).toBe(0);
            expect(teacher.every((g) => g === 0)).toBe(true);
          }
        }),
        runs,
      );
    },
  );

  it(
    rowwise ? "is the mean of the losses of its rows" : "is more than the mean of the losses of its rows",
    () => {
      let apartOnce = 0;
      fc.assert(
        fc.property(pairs, ([s, t]) => {
          const rows = every(s);
          const whole = pass(lossOf(rows), s, t).value;
          const parts = rows.map(
            (row) => pass(lossOf([row]), samplesOf(s, [row]), samplesOf(t, [row])).value,
          );
          const mean = parts.reduce((a, b) => a + b) / rows.length;
          apartOnce = Math.max(apartOnce, Math.abs(whole - mean));
          if (rowwise) expect(Math.abs(whole - mean)).toBeLessThanOrEqual(1e-13 * (1 + whole));
        }),
        runs,
      );
      if (!rowwise) expect(apartOnce).toBeGreaterThan(0.01);
    },
  );

  it("rounds only once in float32: values and gradients are those of float64, rounded", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const [narrow, wide] = [float32, float64].map((kernels) => pass(lossOf(every(s)), s, t, kernels));
        const rounded = (values: readonly number[]): number[] => values.map(Math.fround);
        if (composed) return; // what each op rounds is bounded in the loss's own file
        expect(narrow.value).toBe(Math.fround(wide.value));
        expect(narrow.student).toEqual(rounded(wide.student));
        expect(narrow.teacher).toEqual(rounded(wide.teacher));
      }),
      runs,
    );
  });

  it("gives the same bits in a step, whose memory holds what the step before left there", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const compute = () => pass(lossOf(every(s)), s, t, float32);
        float32.step(() => float32.wideRoom(1 << 12).fill(Number.NaN));
        expect(float32.step(compute)).toEqual(compute());
      }),
      runs,
    );
  });

  it("gives nothing to a teacher that is detached", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const leaf = mapped(s, (x) => x);
        leaf.requiresGrad = true;
        const fixed = mapped(t, (x) => x);
        fixed.requiresGrad = true;
        lossOf(every(s))(leaf, fixed.detach()).backward();
        expect(fixed.grad).toBeNull();
        expect(leaf.grad).not.toBeNull();
      }),
      { ...runs, numRuns: 5 },
    );
  });

  it("has a finite gradient wherever it is finite, for answers up to ±10⁴", () => {
    fc.assert(
      fc.property(
        pairs,
        fc.constantFrom(0, 1e-20, 1, 3000),
        fc.constantFrom(0, 1e-20, 1, 3000),
        ([s, t], a, b) => {
          const [steep, other] = [mapped(s, (x) => Math.fround(a * x)), mapped(t, (x) => Math.fround(b * x))];
          for (const kernels of [float32, float64]) {
            const { value, student, teacher } = pass(lossOf(every(s)), steep, other, kernels);
            expect(value).toBeGreaterThanOrEqual(0);
            if (Number.isFinite(value)) expect([...student, ...teacher].every(Number.isFinite)).toBe(true);
          }
        },
      ),
      runs,
    );
  });
});

describe("losses of logits", () => {
  const softened = {
    reverseKlLoss: (temperature) => (s, t) => losses.reverseKlLoss(s, t, { temperature }),
    "jensenShannonLoss, β = ½": (temperature) => (s, t) => losses.jensenShannonLoss(s, t, { temperature }),
    "jensenShannonLoss, β = 0": (temperature) => (s, t) =>
      losses.jensenShannonLoss(s, t, { temperature, beta: 0 }),
    "jensenShannonLoss, β = 1": (temperature) => (s, t) =>
      losses.jensenShannonLoss(s, t, { temperature, beta: 1 }),
    "jensenShannonLoss, β = 1e-9": (temperature) => (s, t) =>
      losses.jensenShannonLoss(s, t, { temperature, beta: 1e-9 }),
    softCrossEntropyLoss: (temperature) => (s, t) => losses.softCrossEntropyLoss(s, t, { temperature }),
    decoupledDistillationLoss: (temperature) => (s, t) =>
      losses.decoupledDistillationLoss(s, t, new Array<number>(s.shape[0]).fill(1), { temperature }),
    pearsonCorrelationLoss: (temperature) => (s, t) => losses.pearsonCorrelationLoss(s, t, { temperature }),
    standardizedLogitsLoss: (temperature) => (s, t) => losses.standardizedLogitsLoss(s, t, { temperature }),
  } satisfies Record<string, (temperature: number) => Loss>;

  const extreme = fc.tuple(
    ...[0, 1].map(() =>
      logits({ minRows: 3, maxRows: 3, minClasses: 4, maxClasses: 4, extremes: true, kernels: float64 }),
    ),
  );
  const steep = fc.tuple(of([3, 4], { min: -1e4, max: 1e4 }), of([3, 4], { min: -1e4, max: 1e4 }));
  const temperatures = fc.constantFrom(0.01, 0.1, 1, 100, 1e4, 1e6);

  it.each(Object.entries(softened))(
    "%s: finite, and with a finite gradient, for T from 0.01 to 1e6 and logits up to ±10⁴",
    (_, at) => {
      fc.assert(
        fc.property(fc.oneof(extreme, steep), temperatures, ([s, t], temperature) => {
          for (const kernels of [float32, float64]) {
            const { value, student, teacher } = pass(at(temperature), s, t, kernels);
            expect(value).toBeGreaterThanOrEqual(0);
            expect([value, ...student, ...teacher].every(Number.isFinite)).toBe(true);
          }
        }),
        { seed: 1, numRuns: deep ? 2000 : 60 },
      );
    },
  );

  const masked = fc.tuple(
    ...[0, 1].map(() =>
      logits({ minRows: 2, maxRows: 2, minClasses: 4, maxClasses: 4, minusInfinity: true, kernels: float64 }),
    ),
  );

  it.each(Object.entries(softened).filter(([name]) => /^(reverse|jensen|soft)/.test(name)))(
    "%s: a finite gradient wherever it is finite, for logits of −∞",
    (_, at) => {
      let finite = 0;
      fc.assert(
        fc.property(masked, temperatures, ([s, t], temperature) => {
          const { value, student, teacher } = pass(at(temperature), s, t);
          expect(value).toBeGreaterThanOrEqual(0);
          if (!Number.isFinite(value)) return;
          finite++;
          expect([...student, ...teacher].every(Number.isFinite)).toBe(true);
        }),
        { seed: 1, numRuns: deep ? 2000 : 200 },
      );
      expect(finite).toBeGreaterThan(10);
    },
  );
});
