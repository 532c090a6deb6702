import { kindOf, requireFlag, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { full } from "../factories.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { broadcastShapes, formatShape, type Shape, stridesOf } from "../shape.ts";
import { kernelsOf, Tensor } from "../tensor.ts";
import { requireBroadcast } from "./broadcasting.ts";
import { type DropoutSettings, dropout } from "./dropout.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { scale } from "./scale.ts";
import { softmax } from "./softmax.ts";
import { where } from "./where.ts";

const op = "scaledDotProductAttention";

export interface AttentionOptions {
  /** 1 where a query may look at a key, 0 where not; broadcast to `[…, L, S]`. Default: 1 everywhere. */
  readonly mask?: Tensor | null | undefined;
  /** Whether query i may look at the keys 0 … i only. Needs as many keys as queries. Default false. */
  readonly causal?: boolean | undefined;
  /** c, what scores are multiplied by. Default 1/√E. */
  readonly scale?: number | undefined;
  /** Drops weights, as the op `dropout` does. Default: none. */
  readonly dropout?: DropoutSettings | null | undefined;
}

/**
 * A mean of values for each query, weighted by how well their keys fit it.
 *
 *     P  = softmax(c Q Kᵀ)        −∞ instead of the score where a query may not look
 *     Y  = P V
 *     dV = Pᵀ dY        dS = P ⊙ (dP − Σ P ⊙ dP)        dP = dY Vᵀ
 *     dQ = c dS K       dK = c dSᵀ Q
 *
 * It is composed of ops, whose derivatives these are. The factor 1/√E keeps scores of the order of 1, where a softmax
 * still learns. A key that no query may look at has the weight 0 and gets no gradient, as long as its numbers are finite,
 * however large.
 *
 * @param query `[…, L, E]`; axes before the last two are batches, and broadcast
 * @param key `[…, S, E]`
 * @param value `[…, S, V]`
 * @returns `[…, L, V]`
 * @throws where a query may look at no key at all, of which there is no mean
 * @see Vaswani et al., Attention Is All You Need (2017), arXiv 1706.03762, §3.2.1
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  kernelsOf(op, query, key, value);
  requireOptions(op, options, ["mask", "causal", "scale", "dropout"]);
  requireFlag(op, "causal", options.causal ?? false);
  const batch = requireOperands(query, key, value);
  const [queries, width] = query.shape.slice(-2);
  const { scale: factor = 1 / Math.sqrt(width) } = options;
  if (!Number.isFinite(factor)) {
    throw new DistilgradError("value", `${op}: scale must be a finite number, got ${kindOf(factor)}`);
  }
  const visible = visibility(query, [...batch, queries, key.shape[key.shape.length - 2]], options);
  // The queries are scaled, not the scores: they are usually fewer numbers.
  let scores = matmul(scale(query, factor), key, { transposeB: true });
  if (visible) {
    scores = where(visible, scores, full([], Number.NEGATIVE_INFINITY, { kernels: query.kernels }));
  }
  const weights = softmax(scores);
  return matmul(options.dropout == null ? weights : dropout(weights, options.dropout), value);
}

/** Requires that widths and numbers of keys agree, and returns the batch axes of the scores. */
function requireOperands(query: Tensor, key: Tensor, value: Tensor): Shape {
  const shapes = [query.shape, key.shape, value.shape];
  const [[, width], [keys, keyWidth], [values]] = shapes.map((shape) => shape.slice(-2));
  if (shapes.some(({ length }) => length < 2) || width !== keyWidth || keys !== values || !width || !keys) {
    throw new DistilgradError(
      "shape",
      `${op}: expected query […, L, E], key […, S, E] and value […, S, V] with E and S of at least 1, got query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and value ${formatShape(value.shape)}`,
    );
  }
  const [queryBatch, keyBatch, valueBatch] = shapes.map((shape) => shape.slice(0, -2));
  const batch = broadcastShapes(op, queryBatch, keyBatch, "batch axes");
  broadcastShapes(op, batch, valueBatch, "batch axes");
  return batch;
}

/**
 * 1 where a query may look at a key and 0 where not, broadcasting to the scores; null where all is visible.
 *
 * @throws where a query may look at nothing
 */
function visibility(query: Tensor, scores: Shape, { mask, causal }: AttentionOptions): Tensor | null {
  const [queries, keys] = scores.slice(-2);
  if (mask != null) {
    kernelsOf(op, query, mask);
    requireBroadcast(`${op}, mask`, mask.shape, scores);
    const odd = mask.data.findIndex((entry) => entry !== 0 && entry !== 1);
    if (odd !== -1) {
      throw new DistilgradError(
        "value",
        `${op}: mask is 1 where a query may look at a key and 0 where not, got ${mask.data[odd]} at entry ${odd}; it is not added to the scores`,
      );
    }
  }
  if (causal && queries !== keys) {
    throw new DistilgradError(
      "shape",
      `${op}: causal needs as many keys as queries, got ${keys} keys for ${queries} queries; say with a mask which are visible`,
    );
  }
  const before = causal ? lowerTriangle(queries, query.kernels) : null;
  const visible = mask && before ? mul(mask, before) : (mask ?? before);
  if (visible) requireSomethingToSee(visible);
  return visible;
}

/** Ones on and below the diagonal: query i and the keys 0 … i. */
function lowerTriangle(size: number, kernels: Kernels): Tensor {
  const data = kernels.alloc(size * size);
  for (let i = 0; i < size; i++) data.fill(1, i * size, i * size + i + 1);
  return new Tensor(data, [size, size], kernels);
}

function requireSomethingToSee({ data, shape }: Tensor): void {
  const keys = shape.at(-1) ?? 1;
  for (let start = 0; start < data.length; start += keys) {
    let seen = 0;
    for (let j = start; j < start + keys; j++) seen += data[j];
    if (seen > 0) continue;
    const lead = shape.slice(0, -1);
    const strides = stridesOf(lead);
    const position = lead.map((length, axis) => Math.floor(start / keys / strides[axis]) % length);
    throw new DistilgradError(
      "value",
      `${op}: query ${formatShape(position)} may look at no key; leave it at least one 1 in the mask`,
    );
  }
}
