import { kindOf, requireFlag, requireOptions, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { add } from "../ops/add.ts";
import type { Tensor } from "../tensor.ts";
import { GELU, ReLU } from "./activations.ts";
import { Dropout } from "./dropout.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import {
  type AttentionMasks,
  MultiheadAttention,
  type MultiheadAttentionOptions,
} from "./multihead-attention.ts";

export interface TransformerEncoderLayerOptions extends Omit<MultiheadAttentionOptions, "bias"> {
  /** How many hidden values each position has between the two linear layers. Default 4 · width. */
  readonly feedForward?: number;
  /** How likely each value is dropped while training, in all four places, in [0, 1). Default 0. */
  readonly dropout?: number;
  /** What stands between the two linear layers. Default "relu". */
  readonly activation?: "relu" | "gelu";
  /** Whether each part is normalised before it, as in GPT-2, and not after it is added, as in BERT. Default false. */
  readonly normFirst?: boolean;
  /** Whether each position sees itself and what was before it only. Default false. */
  readonly causal?: boolean;
}

/**
 * Positions of a sequence look at one another, then each is transformed on its own; both are added to what was there.
 *
 *     h = norm1(x + attention(x))              normFirst:  h = x + attention(norm1(x))
 *     y = norm2(h + transform(h))                          y = h + transform(norm2(h))
 *
 *     transform(h) = linear2(activation(linear1(h)))
 *
 * As in PyTorch, dropout acts on the weights of the attention, on its result, behind the activation and on the result of
 * linear2. Its weights are drawn in the order of its fields.
 *
 * @see Vaswani et al., Attention Is All You Need (2017), arXiv 1706.03762, §3.1 and §3.3; Xiong et al., On Layer
 *   Normalization in the Transformer Architecture (2020), arXiv 2002.04745, §3.1 (normFirst)
 */
export class TransformerEncoderLayer extends Module {
  readonly attention: MultiheadAttention;
  readonly linear1: Linear;
  readonly activation: Module;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;
  readonly normFirst: boolean;
  readonly causal: boolean;

  /** @param heads a divisor of width */
  constructor(width: number, heads: number, options: TransformerEncoderLayerOptions = {}) {
    super();
    requireOptions("TransformerEncoderLayer", options, [
      "feedForward",
      "dropout",
      "activation",
      "normFirst",
      "causal",
      "random",
      "kernels",
    ]);
    const { feedForward = 4 * width, activation = "relu", normFirst = false, causal = false } = options;
    const { dropout = 0, random, kernels } = options;
    const home = kernels ? { kernels } : {};
    this.attention = new MultiheadAttention(width, heads, { ...home, dropout, random });
    requireWhole("TransformerEncoderLayer", "feedForward", feedForward, 1);
    if (activation !== "relu" && activation !== "gelu") {
      throw new DistilgradError(
        "value",
        `TransformerEncoderLayer: activation must be "relu" or "gelu", got ${kindOf(activation)}`,
      );
    }
    requireFlag("TransformerEncoderLayer", "normFirst", normFirst);
    requireFlag("TransformerEncoderLayer", "causal", causal);
    this.linear1 = new Linear(width, feedForward, { ...home, random });
    this.activation = activation === "relu" ? new ReLU() : new GELU();
    this.linear2 = new Linear(feedForward, width, { ...home, random });
    this.norm1 = new LayerNorm(width, home);
    this.norm2 = new LayerNorm(width, home);
    this.dropout = new Dropout(dropout, { random });
    this.normFirst = normFirst;
    this.causal = causal;
  }

  /**
   * @param x `[samples, length, width]`
   * @param masks mask and keyMask: which positions see which, as `MultiheadAttention` takes them
   * @returns `[samples, length, width]`
   */
  forward(x: Tensor, masks: Omit<AttentionMasks, "causal"> = {}): Tensor {
    requireOptions("TransformerEncoderLayer", masks, ["mask", "keyMask"]);
    const { norm1, norm2 } = this;
    if (this.normFirst) {
      const h = add(x, this.#attended(norm1.forward(x), masks));
      return add(h, this.#transformed(norm2.forward(h)));
    }
    const h = norm1.forward(add(x, this.#attended(x, masks)));
    return norm2.forward(add(h, this.#transformed(h)));
  }

  #attended(x: Tensor, masks: AttentionMasks): Tensor {
    return this.dropout.forward(this.attention.forward(x, x, x, { ...masks, causal: this.causal }));
  }

  #transformed(x: Tensor): Tensor {
    const hidden = this.dropout.forward(this.activation.forward(this.linear1.forward(x)));
    return this.dropout.forward(this.linear2.forward(hidden));
  }
}
