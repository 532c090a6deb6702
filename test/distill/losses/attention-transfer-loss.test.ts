/** attentionTransferLoss: activation-based attention maps. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpSpec, opChecks } from "../../../src/check/fast-check/index.ts";
import { attentionTransferLoss } from "../../../src/distill/losses/attention-transfer-loss.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import type { Tensor } from "../../../src/tensor.ts";
import {
  apart,
  dot,
  lossCase,
  mapPairs,
  mapped,
  mapRefusals,
  minus,
  overRows,
  pass,
  type Row,
  rowsOf,
  shaped,
  sum,
  unit,
} from "./cases.ts";

const runs = { seed: 1, numRuns: 100 };
const { NaN: none } = Number;

/** Σ over channels of the squares, with a loop for each axis. */
function attention(row: Row, [, channels, height, width]: Tensor["shape"]): number[] {
  const found: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      found.push(sum(Array.from({ length: channels }, (_, c) => row[(c * height + y) * width + x] ** 2)));
    }
  }
  return found;
}

const naive = (s: Tensor, t: Tensor): number =>
  overRows(rowsOf(s), rowsOf(t), (a, b) => {
    const chord = minus(unit(attention(a, s.shape)), unit(attention(b, t.shape)));
    return dot(chord, chord) / 2;
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
const quiet = [[[[0, 0]]]];
const loud = [[[[3, 0]]]];

const spec: OpSpec = {
  refusesEmpty: true,
  samples: mapPairs.map(([s, t]) => lossCase([s, t], attentionTransferLoss, naive(s, t), { step: 1e-4 })),
  // mean ½ |Q_s/|Q_s| − Q_t/|Q_t||², in 70 decimal digits; gradients by differences there.
  golden: [
    {
      at: "two rows of 2 × 2 maps, of two and of three channels",
      operands: [student, teacher],
      call: attentionTransferLoss,
      value: 0.1912162282431452,
      gradients: [
        shaped(
          [
            -0.0118312573997951, 0.017619403742076708, 0, -0.0018714186444760963, -0.00591562869989755, 0,
            -0.03916392217917051, 0.005614255933428289, 0.03260945793253504, -0.078361902082642,
            0.006948110381518303, 0.013806229429759075, -0.01630472896626752, -0.078361902082642,
            -0.006948110381518303, 0.1104498354380726,
          ],
          [2, 2, 2, 2],
        ),
        shaped(
          [
            0.008385519763575676, 0, 0.01664880080476685, -0.009665347868541183, 0, -0.00747467150580783,
            -0.01664880080476685, -0.0048326739342705914, 0.004192759881787838, -0.01494934301161566,
            0.04994640241430055, -0.03866139147416473, -0.03170334794536895, -0.033795992961692244,
            -0.010697919477183774, 0, -0.0634066958907379, 0.06759198592338449, -0.021395838954367547, 0, 0,
            0.033795992961692244, 0, 0.035028838700698554,
          ],
          [2, 3, 2, 2],
        ),
      ],
    },
  ],
  domain: [
    // Q = [9, 0] and [0, 16]
    {
      at: "maps that look at different places",
      operands: [loud, [[[[0, 4]]]]],
      call: attentionTransferLoss,
      value: 1,
      gradients: [[[[[0, 0]]]], [[[[0, 0]]]]],
    },
    { at: "NaN", operands: [[[[[none, 1]]]], loud], call: attentionTransferLoss, value: none },
    {
      at: "one position: there is nothing to tell apart",
      operands: [[[[[2]]]], [[[[5]]]]],
      call: attentionTransferLoss,
      value: 0,
      gradients: [[[[[0]]]], [[[[0]]]]],
    },
  ],
  kinks: [
    {
      at: "a student's map of 0: Q̂ is 0, no gradient",
      operands: [quiet, loud],
      call: attentionTransferLoss,
      value: 0.5,
      gradients: [quiet, quiet],
    },
    {
      at: "a teacher's map of 0",
      operands: [loud, quiet],
      call: attentionTransferLoss,
      value: 0.5,
      gradients: [quiet, quiet],
    },
    {
      at: "maps of 0 in both",
      operands: [quiet, quiet],
      call: attentionTransferLoss,
      value: 0,
      gradients: [quiet, quiet],
    },
  ],
  errors: mapRefusals("attentionTransferLoss", attentionTransferLoss),
};

describe("attentionTransferLoss", () => {
  for (const check of opChecks("attentionTransferLoss", spec)) it(check.name, () => check.run());

  it("does not depend on the size or the signs of either, nor on the order of channels", () => {
    fc.assert(
      fc.property(mapPairs, fc.constantFrom(-4, 0.5), ([s, t], factor) => {
        const plain = pass(attentionTransferLoss, s, t);
        const other = pass(
          attentionTransferLoss,
          mapped(s, (x) => factor * x),
          t,
        );
        expect(other.value).toBe(plain.value); // by powers of two, which are exact
        expect(
          apart(
            other.student.map((g) => g * factor),
            plain.student,
          ),
        ).toBe(0);
        const size = s.size / s.shape[0] / s.shape[1];
        const channels = s.shape[1];
        const turned = mapped(s, (_, i) => {
          const row = Math.floor(i / size / channels);
          const channel = Math.floor(i / size) % channels;
          return s.data[(row * channels + (channels - 1 - channel)) * size + (i % size)];
        });
        expect(Math.abs(pass(attentionTransferLoss, turned, t).value - plain.value)).toBeLessThanOrEqual(
          1e-15,
        );
      }),
      runs,
    );
  });

  it("is from 0 to 1, symmetric, and exactly 0 with gradients of 0 for equal maps", () => {
    fc.assert(
      fc.property(mapPairs, ([s, t]) => {
        const [one, other] = [pass(attentionTransferLoss, s, t), pass(attentionTransferLoss, t, s)];
        expect(other).toEqual({ value: one.value, student: one.teacher, teacher: one.student });
        expect(one.value).toBeGreaterThanOrEqual(0);
        expect(one.value).toBeLessThanOrEqual(1 + 2 ** -51);
        const equal = pass(attentionTransferLoss, s, s);
        expect([equal.value, ...equal.student, ...equal.teacher].every((x) => x === 0)).toBe(true);
      }),
      runs,
    );
  });

  it("counts doubled channels as one: how many there are does not matter", () => {
    fc.assert(
      fc.property(mapPairs, ([s, t]) => {
        const [rows, channels, height, width] = s.shape;
        const doubled = shaped(
          rowsOf(s).flatMap((row) => [...row, ...row]),
          [rows, 2 * channels, height, width],
        );
        expect(
          apart([pass(attentionTransferLoss, doubled, t).value], [pass(attentionTransferLoss, s, t).value]),
        ).toBeLessThanOrEqual(1e-15);
      }),
      runs,
    );
  });

  it("is finite with finite gradients for maps of any size that float32 holds", () => {
    for (const size of [1e-38, 1e-13, 1e-11, 1e19, 3e38]) {
      const {
        value,
        student: ds,
        teacher: dt,
      } = pass(attentionTransferLoss, [[[[size, size / 2]]]], [[[[1, 2]]]], float32);
      expect([value, ...ds, ...dt].every(Number.isFinite)).toBe(true);
      // |Q| counts as 0 below 1e-24: a half. Else ½ |[4, 1]/√17 − [1, 4]/√17|² = 9/17.
      expect(Math.abs(value - (size < 1e-12 ? 0.5 : 9 / 17))).toBeLessThan(1e-6);
    }
  });
});
