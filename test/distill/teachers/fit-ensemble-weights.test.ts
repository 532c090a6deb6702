import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ensemble, evaluate, fitEnsembleWeights } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { gamma } from "../../support/row-errors.ts";
import { type Row, softmax, sum } from "../losses/cases.ts";

const settings = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 60 : 2000 };
const in64 = (rows: readonly Row[]): Tensor =>
  tensor(
    rows.map((row) => [...row]),
    { kernels: float64 },
  );

interface Case {
  readonly members: number[][][];
  readonly labels: number[];
}

const cases = (count: number): fc.Arbitrary<Case> =>
  fc.integer({ min: 1, max: 6 }).chain((rows) => {
    const logits = fc.array(
      fc.array(fc.float({ min: -6, max: 6, noNaN: true }), { minLength: 3, maxLength: 3 }),
      {
        minLength: rows,
        maxLength: rows,
      },
    );
    return fc.record({
      members: fc.array(logits, { minLength: count, maxLength: count }),
      labels: fc.array(fc.nat(2), { minLength: rows, maxLength: rows }),
    });
  });

const probabilities = ({ members, labels }: Case): number[][] =>
  labels.map((label, row) => members.map((rows) => softmax(rows[row], 1)[label]));

/** −mean log Σ w p */
const crossEntropyOf = (given: Case, weights: Row): number => {
  const rows = probabilities(given);
  return -sum(rows.map((p) => Math.log(sum(p.map((each, k) => weights[k] * each))))) / rows.length;
};

const fitted = ({ members, labels }: Case, updates?: number): number[] =>
  fitEnsembleWeights(members.map(in64), labels, updates === undefined ? {} : { updates });

describe("fitEnsembleWeights", () => {
  it("never gets worse from update to update, and stays on the simplex", () => {
    fc.assert(
      fc.property(cases(3), (given) => {
        let before = crossEntropyOf(given, fitted(given, 0));
        for (let updates = 1; updates <= 12; updates++) {
          const weights = fitted(given, updates);
          const after = crossEntropyOf(given, weights);
          // A mean of logarithms, each of a size of at most 12 + log 3 and rounded a few times.
          expect(after).toBeLessThanOrEqual(before + gamma(40) * 14);
          expect(Math.abs(sum(weights) - 1)).toBeLessThanOrEqual(gamma(20 * updates));
          expect(weights.every((weight) => weight >= 0)).toBe(true);
          before = after;
        }
      }),
      settings,
    );
  });

  it("makes the update w ← w · mean p / Σ w p from equal weights", () => {
    fc.assert(
      fc.property(cases(3), (given) => {
        let weights = [1 / 3, 1 / 3, 1 / 3];
        const rows = probabilities(given);
        for (let updates = 1; updates <= 3; updates++) {
          const gains = weights.map(
            (_, k) => sum(rows.map((p) => p[k] / sum(p.map((each, j) => weights[j] * each)))) / rows.length,
          );
          if (gains.every((gain) => gain - 1 <= 1e-6)) return;
          weights = weights.map((weight, k) => weight * gains[k]);
          for (const [k, weight] of fitted(given, updates).entries()) {
            expect(Math.abs(weight - weights[k])).toBeLessThanOrEqual(gamma(600) * weights[k]);
          }
        }
      }),
      settings,
    );
  });

  it("is after n updates within log K / (n + 1) nats of the best weights, as on a grid", () => {
    const steps = 40;
    const grid = Array.from({ length: steps + 1 }, (_, i) =>
      Array.from({ length: steps + 1 - i }, (_, j) => [i, j, steps - i - j].map((part) => part / steps)),
    ).flat();
    fc.assert(
      fc.property(cases(3), (given) => {
        const best = Math.min(...grid.map((weights) => crossEntropyOf(given, weights)));
        for (const updates of [0, 1, 2, 5, 20, 100, 10_000]) {
          const own = crossEntropyOf(given, fitted(given, updates));
          const bound = Math.max(Math.log(3) / (updates + 1), 1e-6);
          expect(own).toBeLessThanOrEqual(best + bound + gamma(80) * 14);
        }
      }),
      { ...settings, numRuns: 20 },
    );
  });

  it("stops where no weights can be better by more than 1e-6 nats, if it has not made the most updates", () => {
    let early = 0;
    fc.assert(
      fc.property(cases(3), (given) => {
        const weights = fitted(given, 2000);
        const rows = probabilities(given);
        const gains = weights.map(
          (_, k) => sum(rows.map((p) => p[k] / sum(p.map((each, j) => weights[j] * each)))) / rows.length,
        );
        const stopped = fitted(given, 1999).every((weight, k) => weight === weights[k]);
        if (stopped) early++;
        // A ratio of means over at most 6 rows of softmaxes of logits up to 6.
        expect(stopped).toBe(Math.max(...gains) - 1 <= 1e-6 + (stopped ? gamma(400) : -gamma(400)));
      }),
      settings,
    );
    expect(early).toBeGreaterThan(settings.numRuns / 3);
  });

  it("finds weights that are known: rows that only one of two members can explain, three to one", () => {
    const [sure, wrong] = [
      [40, 0],
      [0, 40],
    ];
    const members = [in64([sure, sure, sure, wrong]), in64([wrong, wrong, wrong, sure])];
    const weights = fitEnsembleWeights(members, [0, 0, 0, 0]);
    expect(weights[0]).toBeCloseTo(0.75, 12);
    expect(weights[1]).toBeCloseTo(0.25, 12);
  });

  it("gives all weight to a member that is better in every row, and equal weights to equal members", () => {
    const [better, worse] = [in64([[2, 0]]), in64([[1, 0]])];
    const weights = fitEnsembleWeights([worse, better], [0]);
    // What is left of the other costs less than 1e-6 nats.
    expect(weights[0]).toBeLessThan(1e-5);
    expect(fitEnsembleWeights([better, better, better, better], [0])).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(fitEnsembleWeights([worse], [1])).toEqual([1]);
  });

  it("stops where nothing is to be gained, so that more updates are allowed and not made", () => {
    const members = [in64([[2, 0]]), in64([[1, 0]])];
    const [all, none] = [fitEnsembleWeights(members, [0]), fitEnsembleWeights(members, [0], { updates: 0 })];
    expect(fitEnsembleWeights(members, [0], { updates: 1e9 })).toEqual(all);
    expect(none).toEqual([0.5, 0.5]);
  });

  it("reads labelled rows only, and is not bothered by probabilities too small for a float", () => {
    const rows = [
      [0, -5000],
      [3, 1],
      [0, 1],
    ];
    const others = [
      [0, -5001],
      [9, 9],
      [2, 1],
    ];
    const labels = [1, -1, 0];
    const weights = fitEnsembleWeights([in64(rows), in64(others)], labels);
    const without = fitEnsembleWeights(
      [in64([rows[0], rows[2]]), in64([others[0], others[2]])],
      labels.filter((label) => label !== -1),
    );
    expect(weights).toEqual(without);
    expect(weights.every((weight) => weight > 0.1)).toBe(true);
  });

  it("makes an ensemble that is at least as good on those rows as its members and their equal mean", () => {
    const labels = Int32Array.of(0, 1, 2, 1);
    const members = [
      [
        [4, 0, 0],
        [0, 3, 0],
        [2, 0, 1],
        [0, 1, 1],
      ],
      [
        [0, 2, 0],
        [0, 1, 0],
        [0, 0, 5],
        [1, 1, 0],
      ],
    ].map((rows) => in64(rows));
    const x = zeros([4, 1], { kernels: float64 });
    const teachers = members.map((logits) => () => logits);
    const lossOf = (weights: number[]): number =>
      evaluate(new Ensemble(teachers, { weights }), { x, labels }).loss;
    const best = lossOf(fitEnsembleWeights(members, labels));
    for (const weights of [
      [1, 0],
      [0, 1],
      [1, 1],
    ])
      expect(best).toBeLessThanOrEqual(lossOf(weights) + 1e-6);
  });
});

describe("fitEnsembleWeights refuses", () => {
  const a = in64([[1, 2, 3]]);
  const { NEGATIVE_INFINITY: out } = Number;

  it.each<[string, () => unknown, string, string]>([
    [
      "no list",
      () => fitEnsembleWeights(a as unknown as Tensor[], [0]),
      "value",
      "expected the logits of at least one member, got a Tensor",
    ],
    [
      "no members",
      () => fitEnsembleWeights([], [0]),
      "value",
      "expected the logits of at least one member, got none",
    ],
    [
      "other shapes",
      () => fitEnsembleWeights([a, in64([[1, 2]])], [0]),
      "shape",
      "the logits of member 0 are [1, 3] and those of member 1 [1, 2]; all need the same rows and the same classes in the same order",
    ],
    [
      "too many labels",
      () => fitEnsembleWeights([a], [0, 1]),
      "labels",
      "expected one label for each of 1 rows, got 2",
    ],
    [
      "a label out of range",
      () => fitEnsembleWeights([a], [3]),
      "labels",
      "label 3 at row 0 is outside [0, 3)",
    ],
    ["no labelled row", () => fitEnsembleWeights([a], [-1]), "labels", "expected at least one labelled row"],
    [
      "an unknown option",
      () => fitEnsembleWeights([a], [0], { steps: 3 } as object),
      "value",
      'unknown option "steps"; possible are updates',
    ],
    [
      "half an update",
      () => fitEnsembleWeights([a], [0], { updates: 0.5 }),
      "value",
      "updates must be a whole number of at least 0, got 0.5",
    ],
    [
      "a label that all rule out",
      () => fitEnsembleWeights([a, a], [1], {}) && fitEnsembleWeights([in64([[0, out]])], [1]),
      "nonfinite",
      "expected a member that gives the label of row 0 a probability above 0, got none",
    ],
    [
      "NaN",
      () => fitEnsembleWeights([a, in64([[Number.NaN, 0, 0]])], [1]),
      "nonfinite",
      "expected a member that gives the label of row 0 a probability above 0, got NaN",
    ],
  ])("%s", (_, call, code, message) => {
    expect(call).toThrow(new DistilgradError(code as "value", `fitEnsembleWeights: ${message}`));
  });
});
