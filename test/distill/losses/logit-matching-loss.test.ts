/** logitMatchingLoss: Ba & Caruana's regression on logits, without their half. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { logitMatchingLoss } from "../../../src/distill/losses/logit-matching-loss.ts";
import { softTargetLoss } from "../../../src/ops/soft-target-loss.ts";
import {
  dot,
  logitPairs,
  logitRefusals,
  lossCase,
  mapped,
  minus,
  overRows,
  pass,
  rowsOf,
  u,
} from "./cases.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

const spec: OpSpec = {
  refusesEmpty: true,
  recordedAs: ["scale"],
  samples: logitPairs().map((pair) => {
    const [z, v] = pair.map(rowsOf);
    const expected = overRows(z, v, (a, b) => dot(minus(a, b), minus(a, b)));
    // Composed of two ops, each of which rounds.
    return lossCase(pair, logitMatchingLoss, expected, {
      bound: (y) => 2.0001 * u * Math.abs(y),
      gradientBound: (_, gradient) => 2.0001 * u * Math.abs(gradient),
    });
  }),
  // mean Σ (z − v)², in 70 decimal digits; by hand: (4 + 1 + 2.8² + 4 + 1 + ¼) / 2.
  golden: [
    {
      at: "two rows of three classes",
      operands: [
        [
          [1, 2, 3],
          [0, 0, 0],
        ],
        [
          [3, 1, 0.2],
          [2, -1, 0.5],
        ],
      ],
      call: logitMatchingLoss,
      value: 9.045,
      gradients: [
        [
          [-2, 1, 2.8],
          [-2, 1, -0.5],
        ],
        [
          [2, -1, -2.8],
          [2, -1, 0.5],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "a mean over rows and not over classes",
      operands: [
        [
          [1, 0, 0, 0],
          [0, 0, 0, 0],
        ],
        [
          [0, 0, 0, 0],
          [0, 3, 0, 0],
        ],
      ],
      call: logitMatchingLoss,
      value: 5,
    },
    { at: "infinity", operands: [[[infinity]], [[0]]], call: logitMatchingLoss, value: infinity },
    { at: "NaN", operands: [[[none, 0]], [[0, 0]]], call: logitMatchingLoss, value: none },
  ],
  errors: logitRefusals("logitMatchingLoss", logitMatchingLoss),
};

describe("logitMatchingLoss", () => {
  for (const check of opChecks("logitMatchingLoss", spec)) it(check.name, () => check.run());

  it("is what softTargetLoss tends to for large T, times twice the classes, where rows have the same mean", () => {
    fc.assert(
      fc.property(logitPairs({ minClasses: 2 }), ([z, v]) => {
        const centred = [z, v].map((x) => {
          const means = rowsOf(x).map((row) => row.reduce((a, b) => a + b, 0) / row.length);
          return mapped(x, (value, i) => value - means[Math.floor(i / x.shape[1])]);
        });
        const own = pass(logitMatchingLoss, centred[0], centred[1]).value;
        const soft = pass((s, t) => softTargetLoss(s, t, { temperature: 1e6 }), centred[0], centred[1]).value;
        // What is left out is of relative order |logit|/T < 1e-5.
        expect(Math.abs(soft * 2 * z.shape[1] - own)).toBeLessThanOrEqual(1e-5 * (1 + own));
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("counts a constant, which changes no probability", () => {
    expect(pass(logitMatchingLoss, [[1, 2]], [[4, 5]]).value).toBe(18);
  });
});
