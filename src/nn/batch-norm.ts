import { kindOf, requireOptions, requirePositive, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { ones, zeros } from "../factories.ts";
import { batchNorm, normalizedBatch } from "../ops/batch-norm.ts";
import { formatShape } from "../shape.ts";
import { kernelsOf, type Tensor } from "../tensor.ts";
import { type AffineOptions, affineOptions, startingAffine } from "./affine.ts";
import { Module, type Parameter } from "./module.ts";

export interface BatchNormLayerOptions extends AffineOptions {
  /** μ in [0, 1]: how much of each batch enters the running statistics. Default 0.1. */
  readonly momentum?: number;
}

/**
 * Normalises each channel: in training mode by the statistics of the batch, in evaluation mode by running ones.
 *
 *     runningMean     = (1 − μ) · runningMean     + μ · m                    m, v of the batch
 *     runningVariance = (1 − μ) · runningVariance + μ · v · n / (n − 1)      n values a channel
 *
 * They are buffers, written by every forward pass in training mode, under `noGrad` too, and by none in evaluation mode.
 * As in PyTorch, the running variance is the unbiased one, and v itself is what a batch is divided by.
 */
abstract class BatchNorm extends Module {
  readonly channels: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;

  constructor(where: string, channels: number, options: BatchNormLayerOptions) {
    super();
    requireOptions(where, options, [...affineOptions, "momentum"]);
    requireWhole(where, "channels", channels, 1);
    const { epsilon = 1e-5, momentum = 0.1, kernels } = options;
    requirePositive(where, "epsilon", epsilon);
    if (!(typeof momentum === "number" && momentum >= 0 && momentum <= 1)) {
      throw new DistilgradError("value", `${where}: momentum must be in [0, 1], got ${kindOf(momentum)}`);
    }
    const { weight, bias } = startingAffine(where, [channels], options);
    const source = kernels ? { kernels } : {};
    this.channels = channels;
    this.momentum = momentum;
    this.epsilon = epsilon;
    this.weight = weight;
    this.bias = bias;
    this.runningMean = zeros([channels], source);
    this.runningVariance = ones([channels], source);
  }

  /** Checks that x has a rank out of `ranks`; `expected` says in words what it should be. */
  protected normalized(where: string, x: Tensor, ranks: readonly number[], expected: string): Tensor {
    const { channels, momentum, epsilon, weight, bias, runningMean, runningVariance } = this;
    kernelsOf(where, x, runningMean);
    if (!ranks.includes(x.shape.length) || x.shape[1] !== channels) {
      throw new DistilgradError("shape", `${where}: expected x ${expected}, got ${formatShape(x.shape)}`);
    }
    if (!this.training) {
      return batchNorm(x, { weight, bias, epsilon, mean: runningMean, variance: runningVariance });
    }
    const { y, moments } = normalizedBatch(x, { weight, bias, epsilon });
    const n = x.size / channels;
    runningMean.update((data) => {
      for (let c = 0; c < channels; c++) data[c] = (1 - momentum) * data[c] + momentum * moments.mean[c];
    });
    runningVariance.update((data) => {
      for (let c = 0; c < channels; c++) {
        const unbiased = (moments.variance[c] * n) / (n - 1);
        data[c] = (1 - momentum) * data[c] + momentum * unbiased;
      }
    });
    return y;
  }
}

/** Batch normalisation of `[samples, channels]` or `[samples, channels, length]`. */
export class BatchNorm1d extends BatchNorm {
  constructor(channels: number, options: BatchNormLayerOptions = {}) {
    super("BatchNorm1d", channels, options);
  }

  forward(x: Tensor): Tensor {
    const c = this.channels;
    return this.normalized("BatchNorm1d", x, [2, 3], `[samples, ${c}] or [samples, ${c}, length]`);
  }
}

/** Batch normalisation of images, `[samples, channels, height, width]`. */
export class BatchNorm2d extends BatchNorm {
  constructor(channels: number, options: BatchNormLayerOptions = {}) {
    super("BatchNorm2d", channels, options);
  }

  forward(x: Tensor): Tensor {
    return this.normalized("BatchNorm2d", x, [4], `[samples, ${this.channels}, height, width]`);
  }
}
