/** The table of ops: how far values are from their targets, element by element, and vectors from each other. */
import fc from "fast-check";
import { ones, tensor } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand, shape } from "../../support/arbitraries.ts";
import { empty, lossErrors, type OpSpecs, rows, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const pairs = shape({ minSize: 1 }).chain((drawn) => fc.tuple(operand(drawn), operand(drawn)));

const averaged = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Gradients are rounded once, like the values. */
const gradientBound = (_: number, gradient: number): number => u * Math.abs(gradient);

const positive = [0, -1, Number.NaN, Number.POSITIVE_INFINITY] as const;

/** Multiples of 1/8 with a little more, at most 3/256, so that there is something to round. */
const nearGrid = (x: Operand, more: Operand): Operand => ({
  shape: x.shape,
  values: x.values.map((value, i) => Math.fround(Math.round(8 * value) / 8 + more.values[i] / 256)),
});

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

export const distances = {
  binaryCrossEntropy: {
    refusesEmpty: true,
    domain: [
      {
        at: "logits of ±10⁴, right and wrong",
        operands: [
          [1e4, -1e4, 1e4, -1e4],
          [1, 0, 0, 1],
        ],
        call: ops.binaryCrossEntropy,
        value: 5e3,
        gradients: [
          [0, 0, 0.25, -0.25],
          [-2500, 2500, -2500, 2500],
        ],
      },
      {
        at: "logits of ±∞ that are right",
        operands: [
          [infinity, -infinity],
          [1, 0],
        ],
        call: ops.binaryCrossEntropy,
        value: 0,
        gradients: [
          [0, 0],
          [0, 0],
        ],
      },
      {
        at: "a logit of ∞ that is wrong",
        operands: [[infinity], [0]],
        call: ops.binaryCrossEntropy,
        value: infinity,
      },
      {
        at: "0",
        operands: [[0], [1]],
        call: ops.binaryCrossEntropy,
        value: Math.LN2,
        gradients: [[-0.5], [0]],
      },
    ],
    samples: pairs.map(([z, v]) => {
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      // From 0.04 to 0.96: a difference does not step out of [0, 1].
      const targetProbs = { shape: v.shape, values: v.values.map((x) => Math.fround(sigmoid(x))) };
      const terms = z.values.map((x, i) => {
        const [p, t] = [sigmoid(x), targetProbs.values[i]];
        return -t * Math.log(p) - (1 - t) * Math.log(1 - p);
      });
      return {
        operands: [z, targetProbs].map(in64),
        call: ops.binaryCrossEntropy,
        shape: [],
        expected: [averaged(terms)],
        gradientBound,
      };
    }),
    errors: [
      ...lossErrors("binaryCrossEntropy", ops.binaryCrossEntropy, "logits", "targetProbs"),
      [
        () => ops.binaryCrossEntropy(ones([32]), ones([32, 1])),
        "binaryCrossEntropy: logits and targetProbs must have the same shape, got [32] and [32, 1]",
      ],
      [
        () => ops.binaryCrossEntropy(empty, empty),
        "binaryCrossEntropy: expected at least one value, got [0, 3]",
      ],
      [
        () => ops.binaryCrossEntropy(ones([2]), tensor([0.5, 1.5])),
        "binaryCrossEntropy: targetProbs must be in [0, 1], got 1.5 at entry 1; are these logits? Apply sigmoid first",
      ],
      [
        () => ops.binaryCrossEntropy(ones([2]), tensor([-0.125, 0.5])),
        "binaryCrossEntropy: targetProbs must be in [0, 1], got -0.125 at entry 0; are these logits? Apply sigmoid first",
      ],
    ],
  },
  mse: {
    refusesEmpty: true,
    domain: [
      {
        at: "equal values",
        operands: [
          [1, 2],
          [1, 2],
        ],
        call: ops.mse,
        value: 0,
        gradients: [
          [0, 0],
          [0, 0],
        ],
      },
    ],
    golden: pytorch("mse_loss", () => ops.mse),
    samples: pairs.map(([a, b]) => ({
      operands: [a, b].map(in64),
      call: ops.mse,
      shape: [],
      expected: [averaged(a.values.map((x, i) => (x - b.values[i]) ** 2))],
      gradientBound,
    })),
    errors: [
      ...lossErrors("mse", ops.mse, "prediction", "target"),
      [
        () => ops.mse(ones([32]), ones([32, 1])),
        "mse: prediction and target must have the same shape, got [32] and [32, 1]",
      ],
      [() => ops.mse(empty, empty), "mse: expected at least one value, got [0, 3]"],
    ],
  },
  huber: {
    refusesEmpty: true,
    domain: [
      {
        at: "1e30, which is not squared",
        operands: [[2 ** 100], [0]],
        call: (a, b) => ops.huber(a, b, { delta: 2 }),
        value: 2 ** 101,
        gradients: [[2], [-2]],
      },
      {
        at: "∞",
        operands: [[infinity], [0]],
        call: (a, b) => ops.huber(a, b),
        value: infinity,
        gradients: [[1], [-1]],
      },
      {
        at: "NaN",
        operands: [[none], [0]],
        call: (a, b) => ops.huber(a, b),
        value: none,
        gradients: [[none], [none]],
      },
    ],
    kinks: [
      {
        at: "|d| = δ, where both forms agree, and at 0",
        operands: [
          [2, -2, 0, 5],
          [0, 0, 0, 5],
        ],
        call: (a, b) => ops.huber(a, b, { delta: 2 }),
        value: 1,
        gradients: [
          [0.5, -0.5, 0, 0],
          [-0.5, 0.5, 0, 0],
        ],
      },
    ],
    // Differences are within 6/256 of a multiple of 1/8, and δ is halfway between two: at least 0.039 from the joint.
    samples: pairs
      .chain(([a, b]) =>
        fc.tuple(
          operand(a.shape).map((more) => nearGrid(a, more)),
          operand(b.shape).map((more) => nearGrid(b, more)),
          fc.constantFrom(1 / 16, 5 / 16, 15 / 16, 33 / 16),
        ),
      )
      .map(([a, b, delta]) => ({
        operands: [a, b].map(in64),
        call: (p: Tensor, q: Tensor) => ops.huber(p, q, { delta }),
        shape: [],
        expected: [
          averaged(
            a.values.map((x, i) => {
              const d = x - b.values[i];
              return Math.abs(d) < delta ? d ** 2 / 2 : delta * Math.abs(d) - delta ** 2 / 2;
            }),
          ),
        ],
        gradientBound,
      })),
    errors: [
      ...lossErrors("huber", (a, b) => ops.huber(a, b), "prediction", "target"),
      [
        () => ops.huber(ones([32]), ones([32, 1])),
        "huber: prediction and target must have the same shape, got [32] and [32, 1]",
      ],
      [() => ops.huber(empty, empty), "huber: expected at least one value, got [0, 3]"],
      ...positive.map(
        (delta) =>
          [
            () => ops.huber(ones([2]), ones([2]), { delta }),
            `huber: delta must be a finite number above 0, got ${delta}`,
          ] as const,
      ),
      [
        () => ops.huber(ones([2]), ones([2]), { delta: "1" } as never),
        'huber: delta must be a finite number above 0, got "1", a string',
      ],
      [
        () => ops.huber(ones([2]), ones([2]), { beta: 1 } as never),
        'huber: unknown option "beta"; possible are delta',
      ],
      [() => ops.huber(ones([2]), ones([2]), 1 as never), "huber: expected { delta }, got 1"],
    ],
  },
  cosineSimilarity: {
    domain: [
      {
        at: "equal and opposite vectors",
        operands: [
          [
            [3, 4],
            [3, 4],
          ],
          [
            [3, 4],
            [-3, -4],
          ],
        ],
        call: (a, b) => ops.cosineSimilarity(a, b),
        value: [1, -1],
      },
    ],
    kinks: [
      {
        at: "the zero vector, whose gradient points along the other",
        operands: [
          [0, 0],
          [3, 4],
        ],
        call: (a, b) => ops.cosineSimilarity(a, b, { epsilon: 0.5 }),
        value: 0,
        gradients: [
          [1.2, 1.6],
          [0, 0],
        ],
      },
      {
        at: "a vector of the length ε, whose length counts as a constant",
        operands: [
          [0, 2],
          [5, 0],
        ],
        call: (a, b) => ops.cosineSimilarity(a, b, { epsilon: 2 }),
        value: 0,
        gradients: [
          [0.5, 0],
          [0, 0.2],
        ],
      },
    ],
    // No vector is shorter than 1/2 or b shorter than 15: none is near an ε, which both, one or none exceed.
    samples: fc
      .tuple(rows({ min: -3, max: 3, gap: 0.5 }), fc.constantFrom(undefined, 15, 200))
      .chain(([a, epsilon]) =>
        fc.tuple(fc.constant(a), operand(a.shape, { min: -3, max: 3, gap: 0.9375 }), fc.constant(epsilon)),
      )
      .map(([a, { values }, epsilon]) => {
        const b = { shape: a.shape, values: values.map((x) => 16 * x) };
        const cols = a.shape[a.shape.length - 1];
        const expected: number[] = [];
        for (let start = 0; start < a.values.length; start += cols) {
          const [p, q] = [a, b].map((x) => x.values.slice(start, start + cols));
          const dot = p.reduce((sum, x, i) => sum + x * q[i], 0);
          const [lengthA, lengthB] = [p, q].map((x) => Math.max(Math.hypot(...x), epsilon ?? 1e-8));
          expected.push(dot / (lengthA * lengthB));
        }
        return {
          operands: [a, b].map(in64),
          call: (p: Tensor, q: Tensor) =>
            ops.cosineSimilarity(p, q, epsilon === undefined ? {} : { epsilon }),
          shape: a.shape.slice(0, -1),
          expected,
          gradientBound,
        };
      }),
    errors: [
      ...lossErrors("cosineSimilarity", (a, b) => ops.cosineSimilarity(a, b), "a", "b"),
      [
        () => ops.cosineSimilarity(ones([]), ones([])),
        "cosineSimilarity: expected a last axis with at least one entry, got []",
      ],
      [
        () => ops.cosineSimilarity(ones([2, 0]), ones([2, 0])),
        "cosineSimilarity: expected a last axis with at least one entry, got [2, 0]",
      ],
      ...positive.map(
        (epsilon) =>
          [
            () => ops.cosineSimilarity(ones([2]), ones([2]), { epsilon }),
            `cosineSimilarity: epsilon must be a finite number above 0, got ${epsilon}`,
          ] as const,
      ),
      [
        () => ops.cosineSimilarity(ones([2]), ones([2]), { eps: 1 } as never),
        'cosineSimilarity: unknown option "eps"; possible are epsilon',
      ],
      [
        () => ops.cosineSimilarity(ones([2]), ones([2]), 1e-8 as never),
        "cosineSimilarity: expected { epsilon }, got 1e-8",
      ],
    ],
  },
} satisfies OpSpecs;
