import { requireInstance, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { requireProbability } from "../ops/dropout.ts";
import { linear } from "../ops/linear.ts";
import { mul } from "../ops/mul.ts";
import { permute } from "../ops/permute.ts";
import { reshape } from "../ops/reshape.ts";
import { scaledDotProductAttention } from "../ops/scaled-dot-product-attention.ts";
import { split } from "../ops/split.ts";
import { libraryStream, RandomStream } from "../random.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import { kernelsOf, Tensor } from "../tensor.ts";
import { xavierUniform } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

export interface AttentionMasks {
  /** 1 where a query may look at a key and 0 where not: `[L, S]` for all, or `[samples or 1, heads or 1, L or 1, S]`. */
  readonly mask?: Tensor | null | undefined;
  /** `[samples, S]`, 1 where a sample has a key and 0 where it is padding. */
  readonly keyMask?: Tensor | null | undefined;
  /** Whether query i may look at the keys 0 … i only. Default false. */
  readonly causal?: boolean | undefined;
}

export interface MultiheadAttentionOptions {
  /** How likely each weight between a query and a key is dropped while training, in [0, 1). Default 0. */
  readonly dropout?: number;
  /** Whether the projections add a bias, which starts as zeros. Default true. */
  readonly bias?: boolean;
  /** Where the draws come from: the weights', then those of dropping. Default: the library's stream. */
  readonly random?: RandomStream | undefined;
  /** The kernel set it lives in. Default float32. */
  readonly kernels?: Kernels;
}

/**
 * Attention in several heads, each with a part of the width to itself; batch first.
 *
 *     [Q K V] = x Wᵀ + b        W `[3 · width, width]`: the rows of Q, of K, of V, in each the heads one after the other
 *     head h  = scaledDotProductAttention(Qₕ, Kₕ, Vₕ)
 *     y       = [head 0, head 1, …] Wₒᵀ + bₒ
 *
 * The layout and the start are PyTorch's: W is its `in_proj_weight` and uniform by Glorot, Wₒ its `out_proj.weight` and
 * uniform within ±1/√width, both biases are 0.
 *
 * @see Vaswani et al., Attention Is All You Need (2017), arXiv 1706.03762, §3.2.2
 */
export class MultiheadAttention extends Module {
  readonly width: number;
  readonly heads: number;
  readonly dropout: number;
  readonly random: RandomStream;
  readonly inputProjection: Linear;
  readonly outputProjection: Linear;

  /** @param heads a divisor of width */
  constructor(width: number, heads: number, options: MultiheadAttentionOptions = {}) {
    super();
    requireOptions("MultiheadAttention", options, ["dropout", "bias", "random", "kernels"]);
    requireWhole("MultiheadAttention", "width", width, 1);
    requireWhole("MultiheadAttention", "heads", heads, 1);
    if (width % heads !== 0) {
      throw new DistilgradError(
        "value",
        `MultiheadAttention: a width of ${width} does not divide into ${heads} heads`,
      );
    }
    const { dropout = 0, random = libraryStream(), ...from } = options;
    requireProbability("MultiheadAttention, dropout", dropout);
    requireInstance("MultiheadAttention", "random, a RandomStream", random, RandomStream);
    this.width = width;
    this.heads = heads;
    this.dropout = dropout;
    this.random = random;
    this.inputProjection = new Linear(width, 3 * width, { ...from, random, init: xavierUniform });
    this.outputProjection = new Linear(width, width, { ...from, random });
    for (const { bias } of [this.inputProjection, this.outputProjection])
      bias?.update((data) => data.fill(0));
  }

  /**
   * @param query `[samples, L, width]`
   * @param key `[samples, S, width]`; default: the query, which is self-attention
   * @param value `[samples, S, width]`; default: the key
   * @param options which queries may look at which keys: where all of mask, keyMask and causal let them
   * @returns `[samples, L, width]`
   */
  forward(query: Tensor, key = query, value = key, options: AttentionMasks = {}): Tensor {
    requireOptions("MultiheadAttention", options, ["mask", "keyMask", "causal"]);
    this.#requireInputs(query, key, value);
    const mask = combinedMask(options, query.shape[0], key.shape[1]);
    const { dropout: probability, random, width } = this;
    const [q, k, v] = this.#projected(query, key, value).map((x) => this.#inHeads(x));
    const y = scaledDotProductAttention(q, k, v, {
      mask,
      causal: options.causal,
      dropout: this.training ? { probability, random } : null,
    });
    return this.outputProjection.forward(
      reshape(permute(y, [0, 2, 1, 3]), [...query.shape.slice(0, 2), width]),
    );
  }

  /** Of self-attention: scores, and weighted values. With keys of another length than the queries' it is another number. */
  override multiplyAdds([samples, length, width]: Shape): number {
    return 2 * samples * length * length * width;
  }

  /** One product where all three are the same; else each with its rows of the weight. */
  #projected(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    if (key === query && value === query) return split(this.inputProjection.forward(query), 3, -1);
    const weights = split(this.inputProjection.weight, 3);
    const biases = this.inputProjection.bias ? split(this.inputProjection.bias, 3) : [];
    return [query, key, value].map((x, i) => linear(x, weights[i], biases[i]));
  }

  /** `[samples, length, width]` as `[samples, heads, length, width / heads]`. */
  #inHeads(x: Tensor): Tensor {
    const [samples, length, width] = x.shape;
    return permute(reshape(x, [samples, length, this.heads, width / this.heads]), [0, 2, 1, 3]);
  }

  #requireInputs(query: Tensor, key: Tensor, value: Tensor): void {
    for (const [name, operand] of Object.entries({ query, key, value })) {
      requireInstance("MultiheadAttention", `${name}, a tensor; options come fourth`, operand, Tensor);
    }
    kernelsOf("MultiheadAttention", query, key, value);
    const [samples] = query.shape;
    const [, keys] = key.shape;
    const fits = ({ shape }: Tensor): boolean =>
      shape.length === 3 && shape[0] === samples && shape[2] === this.width;
    if (![query, key, value].every(fits) || value.shape[1] !== keys) {
      throw new DistilgradError(
        "shape",
        `MultiheadAttention: expected query [N, L, ${this.width}], key and value [N, S, ${this.width}], got ${formatShape(query.shape)}, ${formatShape(key.shape)} and ${formatShape(value.shape)}`,
      );
    }
  }
}

/** Both masks as one that broadcasts to `[samples, heads, L, S]`; a mask of three axes could mean two things. */
function combinedMask({ mask, keyMask }: AttentionMasks, samples: number, keys: number): Tensor | null {
  if (mask != null) {
    requireInstance("MultiheadAttention", "mask, a tensor", mask, Tensor);
    if (mask.shape.length !== 2 && mask.shape.length !== 4) {
      throw new DistilgradError(
        "shape",
        `MultiheadAttention: expected mask [L, S] or [samples, heads, L, S], each 1 where it repeats, got ${formatShape(mask.shape)}`,
      );
    }
  }
  if (keyMask == null) return mask ?? null;
  requireInstance("MultiheadAttention", "keyMask, a tensor", keyMask, Tensor);
  if (!sameShape(keyMask.shape, [samples, keys])) {
    throw new DistilgradError(
      "shape",
      `MultiheadAttention: expected keyMask [samples, S], here [${samples}, ${keys}], got ${formatShape(keyMask.shape)}`,
    );
  }
  const perKey = reshape(keyMask, [samples, 1, 1, keys]);
  return mask ? mul(mask, perKey) : perKey;
}
