/** neuronSelectivityTransferLoss (NST): patterns of channels as sets. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { neuronSelectivityTransferLoss } from "../../../src/distill/losses/neuron-selectivity-transfer-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Tensor } from "../../../src/tensor.ts";
import {
  apart,
  dot,
  lossCase,
  mapPairs,
  mapped,
  mapRefusals,
  mean,
  overRows,
  pass,
  type Row,
  rowsOf,
  shaped,
  unit,
} from "./cases.ts";

const loss = neuronSelectivityTransferLoss;
const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;

const channelsOf = (row: Row, count: number): Row[] => {
  const size = row.length / count;
  return Array.from({ length: count }, (_, c) => unit(row.slice(c * size, (c + 1) * size)));
};
const kernel = (a: readonly Row[], b: readonly Row[]): number =>
  mean(a.flatMap((f) => b.map((g) => dot(f, g) ** 2)));
/** The three means of kernels. */
const naive = (s: Tensor, t: Tensor): number =>
  overRows(rowsOf(s), rowsOf(t), (a, b) => {
    const [own, other] = [channelsOf(a, s.shape[1]), channelsOf(b, t.shape[1])];
    return kernel(own, own) + kernel(other, other) - 2 * kernel(own, other);
  });

const student = [
  [
    [
      [1, 2],
      [0, -1],
    ],
    [
      [0.5, 0],
      [1, 3],
    ],
  ],
  [
    [
      [-2, 1],
      [1, 0.25],
    ],
    [
      [1, 1],
      [-1, 2],
    ],
  ],
];
const teacher = [
  [
    [
      [2, 0],
      [1, 1],
    ],
    [
      [0, 1],
      [-1, 0.5],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    [
      [1, -1],
      [0.5, 0],
    ],
    [
      [2, 2],
      [1, 0],
    ],
    [
      [0, 1],
      [0, -0.5],
    ],
  ],
];
const across = [[[[3, 0]]]];
const zero = [[[[0, 0]]]];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: mapPairs.map(([s, t]) => lossCase([s, t], loss, naive(s, t), { step: 1e-4 })),
  // mean (fᵀf')² + mean (gᵀg')² − 2 mean (fᵀg)² of unit channels, in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "two rows of 2 × 2 maps, of two and of three channels",
      operands: [student, teacher],
      call: loss,
      value: 0.6502617773636781,
      gradients: [
        shaped(
          [
            -0.027890695573622403, -0.035456187895212286, 0.001897018970189702, -0.09880307136404698,
            -0.07431643422125278, -0.08148148148148149, -0.03625707801793465, 0.024471765042853682,
            0.0008722932731860354, -0.07765209601749085, 0.08171080148973656, -0.009256475703494514,
            0.01795357318185006, -0.05622959378482206, -0.032026556326998155, 0.0031247321379869243,
          ],
          [2, 2, 2, 2],
        ),
        shaped(
          [
            0.0018501789956171166, -0.004526748971193415, 0.021237746328080565, -0.0249381043193148,
            -0.05381913078390043, -0.04448459299407809, -0.028585767339154872, 0.03179765130984643,
            0.017269062196794808, 0.010188029040784235, 0.006916089531265683, -0.014598347218040082,
            -0.06673243666158689, -0.030260033908585095, 0.07294480550600359, 0.07594319896725395,
            -0.028832802571719038, 0.018027039324396248, 0.02161152649464558, -0.04997181766941217,
            0.07697594501718213, 0.02005854651902762, -0.03848797250859107, 0.04011709303805524,
          ],
          [2, 3, 2, 2],
        ),
      ],
    },
  ],
  domain: [
    // 1 + 1 − 2 · 0; and 1 + ½ − 2 · ½ for one channel against two, of which one is like it.
    {
      at: "channels that respond at different places",
      operands: [across, [[[[0, 4]]]]],
      call: loss,
      value: 2,
      gradients: [zero, zero],
    },
    { at: "one channel against two", operands: [across, [[[[5, 0]], [[0, 1]]]]], call: loss, value: 0.5 },
    {
      at: "one position: every pattern is the same",
      operands: [[[[[2]], [[-1]]]], [[[[5]]]]],
      call: loss,
      value: 0,
      gradients: [[[[[0]], [[0]]]], [[[[0]]]]],
    },
    { at: "NaN", operands: [[[[[none, 1]]]], across], call: loss, value: none },
  ],
  kinks: [
    {
      at: "a channel of 0, which has no pattern",
      operands: [zero, across],
      call: loss,
      value: 1,
      gradients: [zero, zero],
    },
    { at: "nothing but 0 in both", operands: [zero, zero], call: loss, value: 0, gradients: [zero, zero] },
  ],
  errors: mapRefusals("neuronSelectivityTransferLoss", loss),
};

describe("neuronSelectivityTransferLoss", () => {
  for (const check of opChecks("neuronSelectivityTransferLoss", spec)) it(check.name, () => check.run());

  it("does not depend on the order of channels, nor on the size and the sign of each", () => {
    fc.assert(
      fc.property(mapPairs, fc.constantFrom(-4, 0.5), ([s, t], factor) => {
        const plain = pass(loss, s, t);
        const [, channels, height, width] = s.shape;
        const size = height * width;
        const channelOf = (i: number): number => Math.floor(i / size) % channels;
        const other = pass(
          loss,
          mapped(s, (x, i) => (channelOf(i) === 0 ? factor * x : x)),
          t,
        );
        expect(other.value).toBe(plain.value); // by powers of two, which are exact
        expect(
          apart(
            other.student.map((g, i) => (channelOf(i) === 0 ? factor * g : g)),
            plain.student,
          ),
        ).toBe(0);
        const turned = mapped(s, (_, i) => s.data[i + (channels - 1 - 2 * channelOf(i)) * size]);
        expect(Math.abs(pass(loss, turned, t).value - plain.value)).toBeLessThanOrEqual(1e-14);
      }),
      runs,
    );
  });

  it("is from 0 to 2, symmetric, and exactly 0 with gradients of 0 for equal maps", () => {
    fc.assert(
      fc.property(mapPairs, ([s, t]) => {
        const [one, other] = [pass(loss, s, t), pass(loss, t, s)];
        expect(Math.abs(other.value - one.value)).toBeLessThanOrEqual(1e-15);
        expect(apart(other.student, one.teacher)).toBeLessThanOrEqual(1e-13);
        expect(one.value).toBeLessThanOrEqual(2 + 1e-14);
        for (const kernels of [float32, float64]) {
          const near = mapped(s, (x) => Math.fround(x * 1.00001));
          expect(pass(loss, near, s, kernels).value).toBeGreaterThanOrEqual(0);
          const equal = pass(loss, s, s, kernels);
          expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("compares sets: channels that are doubled are the same set", () => {
    fc.assert(
      fc.property(mapPairs, ([s]) => {
        const [rows, channels, height, width] = s.shape;
        const doubled = shaped(
          rowsOf(s).flatMap((row) => [...row, ...row]),
          [rows, 2 * channels, height, width],
        );
        expect(pass(loss, doubled, s).value).toBeLessThanOrEqual(1e-30);
      }),
      runs,
    );
  });

  it("has finite gradients for channels of any size that float32 holds", () => {
    for (const size of [1e-38, 1.1e-12, 1, 3e38]) {
      const { value, student: ds } = pass(loss, [[[[size, size / 2]]]], [[[[1, 2]]]], float32);
      expect([value, ...ds].every(Number.isFinite)).toBe(true);
      // 1 + 1 − 2 (4/5)², or 1 where the student's counts as 0.
      expect(Math.abs(value - (size < 1e-12 ? 1 : 0.72))).toBeLessThan(1e-6);
    }
  });
});
