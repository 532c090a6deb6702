/** hintLoss: FitNets' equation 3. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks, shapes } from "../../../src/check/fast-check/index.ts";
import { featureMatchingLoss } from "../../../src/distill/feature-matching-loss.ts";
import { hintLoss } from "../../../src/distill/losses/hint-loss.ts";
import { ones } from "../../../src/factories.ts";
import { dot, lossCase, minus, of, overRows, pass, rowsOf, u } from "./cases.ts";

const pairs = shapes({ minRank: 1, minSize: 1 }).chain((shape) => fc.tuple(of(shape), of(shape)));

const spec: OpSpec = {
  refusesEmpty: true,
  recordedAs: ["scale"],
  samples: pairs.map((pair) => {
    const [s, t] = pair.map(rowsOf);
    const expected = overRows(s, t, (a, b) => dot(minus(a, b), minus(a, b)) / 2);
    // Composed of two ops, each of which rounds.
    return lossCase(pair, hintLoss, expected, {
      bound: (y) => 2.0001 * u * Math.abs(y),
      gradientBound: (_, gradient) => 2.0001 * u * Math.abs(gradient),
    });
  }),
  // mean ½ |s − t|², in 70 decimal digits.
  golden: [
    {
      at: "three rows of two features",
      operands: [
        [
          [1, 2],
          [0.5, -1],
          [3, 0.25],
        ],
        [
          [2, 1],
          [-1, -1.5],
          [0.25, 3],
        ],
      ],
      call: hintLoss,
      value: 3.2708333333333335,
      gradients: [
        [
          [-1 / 3, 1 / 3],
          [0.5, 0.5 / 3],
          [2.75 / 3, -2.75 / 3],
        ],
        [
          [1 / 3, -1 / 3],
          [-0.5, -0.5 / 3],
          [-2.75 / 3, 2.75 / 3],
        ],
      ],
    },
  ],
  domain: [
    {
      at: "half the square, and a mean over rows alone",
      operands: [
        [
          [3, 4],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      ],
      call: hintLoss,
      value: 6.25,
      gradients: [
        [
          [1.5, 2],
          [0, 0],
        ],
        null,
      ],
    },
  ],
  errors: [
    [
      () => hintLoss(ones([2, 3]), ones([2, 4])),
      "hintLoss: student and teacher must have the same shape, got [2, 3] and [2, 4]",
    ],
    [
      () => hintLoss(ones([32]), ones([32, 1])),
      "hintLoss: student and teacher must have the same shape, got [32] and [32, 1]",
    ],
    [
      () => hintLoss(ones([0, 3]), ones([0, 3])),
      "hintLoss: expected features [rows, …] with at least one value, got [0, 3]",
    ],
    [
      () => hintLoss(ones([]), ones([])),
      "hintLoss: expected features [rows, …] with at least one value, got []",
    ],
  ],
};

describe("hintLoss", () => {
  for (const check of opChecks("hintLoss", spec)) it(check.name, () => check.run());

  it("is featureMatchingLoss of the pair, times half the values of a row", () => {
    fc.assert(
      fc.property(pairs, ([s, t]) => {
        const own = pass(hintLoss, s, t).value;
        const matching = pass((a, b) => featureMatchingLoss([a], [b]), s, t).value;
        expect(Math.abs(own - (matching * s.size) / s.shape[0] / 2)).toBeLessThanOrEqual(1e-15 * (1 + own));
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});
