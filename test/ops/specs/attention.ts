/** The table of ops: attention. */
import fc from "fast-check";
import { ones, tensor, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand, operandIn, shape, thinned } from "../../support/arbitraries.ts";
import { broadcastIndex } from "../reference.ts";
import { mixed, mixedMessage, notATensor, type OpSpecs, three, u } from "../spec.ts";

const op = "scaledDotProductAttention";
const attention = ops.scaledDotProductAttention;
const unit = { min: -1, max: 1 };
const dimension = fc.integer({ min: 1, max: 4 });

/** What shapes broadcast to, which are known to. */
const common = (...shapes: readonly Shape[]): number[] => {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((one) => one[axis - rank + one.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
};

/** Scores, their softmax and the weighted values by three loops, for every batch. */
function attended(
  [q, k, v]: readonly [Operand, Operand, Operand],
  sees: (batch: number, i: number, j: number) => boolean,
  factor: number,
): number[] {
  const [L, E] = q.shape.slice(-2);
  const [S, V] = v.shape.slice(-2);
  const leads = [q, k, v].map((one) => one.shape.slice(0, -2));
  const batch = common(...leads);
  const out: number[] = [];
  for (let b = 0; b < sizeOf(batch); b++) {
    const [bq, bk, bv] = leads.map((lead) => broadcastIndex(b, batch, lead));
    for (let i = 0; i < L; i++) {
      const powers = Array.from({ length: S }, (_, j) => {
        let score = 0;
        for (let e = 0; e < E; e++) score += q.values[(bq * L + i) * E + e] * k.values[(bk * S + j) * E + e];
        return sees(b, i, j) ? Math.exp(factor * score) : 0;
      });
      const total = powers.reduce((sum, power) => sum + power, 0);
      for (let c = 0; c < V; c++) {
        out.push(powers.reduce((sum, power, j) => sum + (power / total) * v.values[(bv * S + j) * V + c], 0));
      }
    }
  }
  return out;
}

/**
 * All operands are at most 1. Scaled queries are rounded once, products round 2E times: scores, of at most A = |c| E, are off
 * by (2E + 2) u A, and a weight, which feels its own score and their mean, by the share p of itself.
 */
function bounds(q: Operand, k: Operand, v: Operand, factor: number) {
  const [L, E] = q.shape.slice(-2);
  const [S, V] = v.shape.slice(-2);
  const leads = [q, k, v].map((one) => one.shape.slice(0, -2));
  const batches = sizeOf(common(...leads));
  const c = Math.abs(factor);
  const p = (2 * (2 * E + 2) * c * E + 1) * u;
  // dP = dY Vᵀ is at most V, and its sum rounds 2V times. In dS = P ⊙ (dP − Σ P ⊙ dP), at most 2 V P, the weights are off in
  // three places, dP in two, and the store rounds. A broadcast operand gathers all batches.
  const dS = 3 * p * V + 4 * V * V * u + 2 * V * u;
  const rows = batches * L;
  const gradients = [
    batches * c * (dS + 2 * V * (2 * S * batches + 2) * u),
    rows * c * (dS + 2 * V * (2 * rows + 2) * u),
    rows * (p + 2 * rows * u),
  ];
  // Terms of the second order are a thousandth of these.
  return { bound: () => 1.01 * (p + 2 * S * u), gradientBound: (which: number) => 1.01 * gradients[which] };
}

const cases = fc
  .record({
    batch: shape({ maxRank: 2 }),
    L: fc.integer({ min: 0, max: 4 }),
    S: dimension,
    E: dimension,
    V: dimension,
    causal: fc.boolean(),
    masked: fc.boolean(),
    factor: fc.constantFrom(undefined, 1, -0.5),
    open: fc.integer({ min: 0, max: 3 }),
  })
  .chain(({ batch, causal, S, masked, open, factor, ...sizes }) => {
    const { E, V } = sizes;
    const L = causal ? S : sizes.L;
    return fc
      .tuple(thinned(batch), thinned(batch), thinned(batch))
      .chain(([first, second, third]) =>
        fc.tuple(
          operand([...first, L, E], unit),
          operand([...second, S, E], unit),
          operand([...third, S, V], unit),
          thinned([...common(first, second), L, S]).chain((drawn) =>
            fc
              .array(fc.constantFrom(0, 1), { minLength: sizeOf(drawn), maxLength: sizeOf(drawn) })
              .map((values) => ({ shape: drawn, values })),
          ),
        ),
      )
      .map(([q, k, v, drawn]) => {
        // Every query sees one key at least: the first where it sees no further than itself.
        const keys = drawn.shape.at(-1) ?? 1;
        const always = causal ? 0 : open % keys;
        const mask = {
          ...drawn,
          values: drawn.values.map((entry, at) => (at % keys === always ? 1 : entry)),
        };
        const lead = common(q.shape.slice(0, -2), k.shape.slice(0, -2));
        const whole = common(lead, v.shape.slice(0, -2));
        const sees = (b: number, i: number, j: number): boolean => {
          if (causal && j > i) return false;
          const at = (broadcastIndex(b, whole, lead) * L + i) * S + j;
          return !masked || mask.values[broadcastIndex(at, [...lead, L, S], mask.shape)] === 1;
        };
        const scale = factor ?? 1 / Math.sqrt(E);
        return {
          operands: [q, k, v].map(in64),
          call: (query: Tensor, key: Tensor, value: Tensor) =>
            attention(query, key, value, {
              mask: masked ? operandIn(query.kernels, mask) : null,
              causal,
              scale: factor,
            }),
          shape: [...whole, L, V],
          expected: attended([q, k, v], sees, scale),
          ...bounds(q, k, v, scale),
        };
      });
  });

const [q, k, v] = [ones([2, 3, 4]), ones([2, 5, 4]), ones([2, 5, 6])];
const shapes = (query: string, key: string, value: string): string =>
  `${op}: expected query […, L, E], key […, S, E] and value […, S, V] with E and S of at least 1, got query ${query}, key ${key} and value ${value}`;

export const attentions = {
  scaledDotProductAttention: {
    // Its last step.
    recordedAs: ["matmul"],
    // The values, as queries and keys weigh them.
    linear: [[2]],
    domain: [
      {
        at: "a masked key and value, however large",
        operands: [[[1]], [[1], [1e30]], [[5], [1e30]]],
        call: (query, key, value) =>
          attention(query, key, value, { mask: tensor([1, 0], { kernels: query.kernels }) }),
        value: [[5]],
        gradients: [[[0]], [[0], [0]], [[1], [0]]],
      },
      {
        at: "scores that are equal, which give the mean of the values",
        operands: [[[0]], [[1], [-3]], [[2], [4]]],
        call: (query, key, value) => attention(query, key, value),
        value: [[3]],
        gradients: [[[-2]], [[0], [0]], [[0.5], [0.5]]],
      },
    ],
    samples: cases,
    errors: [
      [() => attention(three, three, three), notATensor(op)],
      [() => attention(q, k, ones([2, 5, 6], { kernels: float64 })), mixedMessage(op)],
      [() => attention(q, k, v, { mask: mixed[1] }), mixedMessage(op)],
      [() => attention(q, ones([2, 5, 3]), v), shapes("[2, 3, 4]", "[2, 5, 3]", "[2, 5, 6]")],
      [() => attention(q, k, ones([2, 3, 6])), shapes("[2, 3, 4]", "[2, 5, 4]", "[2, 3, 6]")],
      [() => attention(q, k, ones([5])), shapes("[2, 3, 4]", "[2, 5, 4]", "[5]")],
      [() => attention(ones([4]), k, v), shapes("[4]", "[2, 5, 4]", "[2, 5, 6]")],
      [() => attention(q, ones([2, 0, 4]), ones([2, 0, 6])), shapes("[2, 3, 4]", "[2, 0, 4]", "[2, 0, 6]")],
      [() => attention(ones([3, 0]), ones([5, 0]), v), shapes("[3, 0]", "[5, 0]", "[2, 5, 6]")],
      [
        () => attention(q, ones([3, 5, 4]), v),
        `${op}: batch axes [2] and [3] do not broadcast: axis 0 is 2 and 3`,
      ],
      [
        () => attention(q, k, ones([3, 5, 6])),
        `${op}: batch axes [2] and [3] do not broadcast: axis 0 is 2 and 3`,
      ],
      [
        () => attention(q, k, v, { mask: ones([2, 3]) }),
        `${op}, mask: shapes [2, 3] and [2, 3, 5] do not broadcast: axis 1 is 2 and 3`,
      ],
      [
        () => attention(q, k, v, { mask: ones([7, 2, 3, 5]) }),
        `${op}, mask: shape [7, 2, 3, 5] does not broadcast to [2, 3, 5]`,
      ],
      [
        () => attention(q, k, v, { mask: tensor([0, 0, 0, 0, Number.NEGATIVE_INFINITY]) }),
        `${op}: mask is 1 where a query may look at a key and 0 where not, got -Infinity at entry 4; it is not added to the scores`,
      ],
      [
        () => attention(q, k, v, { mask: tensor([1, Number.NaN, 0, 0, 1]) }),
        `${op}: mask is 1 where a query may look at a key and 0 where not, got NaN at entry 1; it is not added to the scores`,
      ],
      [
        () => attention(q, k, v, { mask: tensor([1, 0, 2, 0, 1]) }),
        `${op}: mask is 1 where a query may look at a key and 0 where not, got 2 at entry 2; it is not added to the scores`,
      ],
      [
        () => attention(q, k, v, { mask: true } as never),
        `${op}: operand 1 must be a tensor, got true; wrap it in tensor(…)`,
      ],
      [
        () => attention(q, k, v, { causal: true }),
        `${op}: causal needs as many keys as queries, got 5 keys for 3 queries; say with a mask which are visible`,
      ],
      [
        () =>
          attention(q, k, v, {
            mask: tensor([
              [[1], [1], [1]],
              [[1], [0], [1]],
            ]),
          }),
        `${op}: query [1, 1] may look at no key; leave it at least one 1 in the mask`,
      ],
      [
        () =>
          attention(q, k, v, {
            mask: tensor([1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], { shape: [3, 5] }),
          }),
        `${op}: query [2] may look at no key; leave it at least one 1 in the mask`,
      ],
      [
        () => attention(q, k, v, { mask: zeros([]) }),
        `${op}: query [] may look at no key; leave it at least one 1 in the mask`,
      ],
      [
        () => attention(k, k, v, { causal: true, mask: tensor([0, 0, 1, 1, 1]) }),
        `${op}: query [0] may look at no key; leave it at least one 1 in the mask`,
      ],
      [
        () => attention(q, k, v, { scale: Number.POSITIVE_INFINITY }),
        `${op}: scale must be a finite number, got Infinity`,
      ],
      [
        () => attention(q, k, v, { scale: "2" } as never),
        `${op}: scale must be a finite number, got "2", a string`,
      ],
      [
        () => attention(q, k, v, { isCausal: true } as never),
        `${op}: unknown option "isCausal"; possible are mask, causal, scale, dropout`,
      ],
      [() => attention(q, k, v, { dropout: 0 } as never), "dropout: expected { probability, random }, got 0"],
    ],
  },
} satisfies OpSpecs;
