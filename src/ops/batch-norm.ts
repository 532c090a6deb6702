import { requireOptions, requirePositive } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { Floats } from "../kernels/kernels.ts";
import { formatShape, sameShape, sizeOf } from "../shape.ts";
import { kernelsOf, record, type Tensor, wrt } from "../tensor.ts";
import { addFolded, type NormOptions, repeated, requireAffine } from "./normalization.ts";

export interface BatchNormOptions extends NormOptions {
  /** m of each channel, a constant. Goes with `variance`. Default: that of the batch. */
  readonly mean?: Tensor | null | undefined;
  /** v ≥ 0 of each channel, a constant. Goes with `mean`. Default: that of the batch. */
  readonly variance?: Tensor | null | undefined;
}

/** Of each channel. */
export interface Moments {
  readonly mean: Float64Array;
  /** Of these very values, Σ (x − m)² / n: no estimate for others. */
  readonly variance: Float64Array;
}

/**
 * Brings each channel to mean 0 and variance 1: by the statistics of the batch, or by given ones.
 *
 *     m  = Σ x / n        v = Σ (x − m)² / n        over samples and positions, n values a channel
 *     r  = 1 / √(v + ε)        x̂ = (x − m) r
 *     y  = w x̂ + b
 *     dw = Σ x̂ dy        db = Σ dy
 *     dx = w r (dy − db / n − x̂ dw / n)        with given m and v: dx = w r dy
 *
 * The statistics of the batch depend on x, and the gradient goes through them; with given ones no sample knows of
 * another. The mean is taken away before squaring, so an offset common to a channel costs no digits.
 *
 * @param x `[samples, channels, …positions]`
 * @param options.weight `[channels]`, as bias, mean and variance
 * @returns the shape of x; a channel with NaN or ∞ becomes NaN, alone
 * @throws where the batch has a single value a channel, which would always become b
 * @see Ioffe & Szegedy, Batch Normalization (2015), arXiv 1502.03167, §3
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
  kernelsOf("batchNorm", x);
  requireOptions("batchNorm", options, ["weight", "bias", "epsilon", "mean", "variance"]);
  const { mean, variance } = options;
  if (mean == null && variance == null) return normalizedBatch(x, options).y;
  if (mean == null || variance == null) {
    throw new DistilgradError(
      "value",
      `batchNorm: mean and variance go together, got only ${mean ? "mean" : "variance"}`,
    );
  }
  requireChannels(x, options);
  const moments = { mean: constant("mean", mean, x), variance: constant("variance", variance, x) };
  const negative = moments.variance.findIndex((v) => v < 0);
  if (negative !== -1) {
    throw new DistilgradError(
      "value",
      `batchNorm: variance must not be negative, got ${moments.variance[negative]} for channel ${negative}`,
    );
  }
  return normalize(x, moments, options, false);
}

/** `batchNorm` by the statistics of the batch, and these: a layer keeps a running mean of them. */
export function normalizedBatch(
  x: Tensor,
  options: NormOptions,
): { readonly y: Tensor; readonly moments: Moments } {
  requireChannels(x, options);
  const [samples, channels] = x.shape;
  const length = sizeOf(x.shape.slice(2));
  const n = samples * length;
  if (n < 2) {
    throw new DistilgradError(
      "shape",
      `batchNorm: expected more than one value a channel, got x ${formatShape(x.shape)}; a batch of one has no statistics; where it is what is left of an epoch, drop it with dropLast`,
    );
  }
  const values = x.data;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < values.length; ) {
    for (let c = 0; c < channels; c++) {
      let sum = mean[c];
      for (const end = i + length; i < end; i++) sum += values[i];
      mean[c] = sum;
    }
  }
  for (let c = 0; c < channels; c++) mean[c] /= n;
  for (let i = 0; i < values.length; ) {
    for (let c = 0; c < channels; c++) {
      const m = mean[c];
      let squares = variance[c];
      for (const end = i + length; i < end; i++) squares += (values[i] - m) * (values[i] - m);
      variance[c] = squares;
    }
  }
  for (let c = 0; c < channels; c++) variance[c] /= n;
  const moments = { mean, variance };
  return { y: normalize(x, moments, options, true), moments };
}

/** y and its derivatives; `ofBatch` says that the moments are those of x and change with it. */
function normalize(x: Tensor, { mean, variance }: Moments, options: NormOptions, ofBatch: boolean): Tensor {
  const { weight, bias, epsilon = 1e-5 } = options;
  const [samples, channels] = x.shape;
  const length = sizeOf(x.shape.slice(2));
  const n = samples * length;
  const values = x.data;
  const scale = variance.map((v) => 1 / Math.sqrt(v + epsilon)); // r
  const [w, b] = [repeated(weight, channels, 1), repeated(bias, channels, 0)];
  const y = x.kernels.alloc(x.size);
  for (let i = 0; i < y.length; ) {
    for (let c = 0; c < channels; c++) {
      const m = mean[c];
      const r = scale[c];
      const gain = w[c];
      const shift = b[c];
      for (const end = i + length; i < end; i++) y[i] = (values[i] - m) * r * gain + shift;
    }
  }

  const weightGradient = once((dy) => {
    const dw = new Float64Array(channels);
    for (let i = 0; i < dy.length; ) {
      for (let c = 0; c < channels; c++) {
        const m = mean[c];
        const r = scale[c];
        let sum = dw[c];
        for (const end = i + length; i < end; i++) sum += (values[i] - m) * r * dy[i];
        dw[c] = sum;
      }
    }
    return dw;
  });
  const biasGradient = once((dy) => {
    const db = new Float64Array(channels);
    for (let i = 0; i < dy.length; ) {
      for (let c = 0; c < channels; c++) {
        let sum = db[c];
        for (const end = i + length; i < end; i++) sum += dy[i];
        db[c] = sum;
      }
    }
    return db;
  });
  const partials = [
    wrt(x, (dx, dy) => {
      if (!ofBatch) {
        for (let i = 0; i < dx.length; ) {
          for (let c = 0; c < channels; c++) {
            const gain = w[c] * scale[c];
            for (const end = i + length; i < end; i++) dx[i] += gain * dy[i];
          }
        }
        return;
      }
      const [dw, db] = [weightGradient(dy), biasGradient(dy)];
      for (let i = 0; i < dx.length; ) {
        for (let c = 0; c < channels; c++) {
          const m = mean[c];
          const r = scale[c];
          const gain = w[c] * r;
          const offset = db[c] / n;
          const slope = dw[c] / n;
          for (const end = i + length; i < end; i++) {
            dx[i] += gain * (dy[i] - offset - (values[i] - m) * r * slope);
          }
        }
      }
    }),
  ];
  if (weight) partials.push(wrt(weight, (dw, dy) => addFolded(dw, weightGradient(dy))));
  if (bias) partials.push(wrt(bias, (db, dy) => addFolded(db, biasGradient(dy))));
  return record("batchNorm", y, x.shape, partials);
}

/** Sums that several derivatives read, worked out for the first: a graph goes back once, so there is one dy. */
function once(sums: (dy: Floats) => Float64Array): (dy: Floats) => Float64Array {
  let known: Float64Array | null = null;
  return (dy) => {
    known ??= sums(dy);
    return known;
  };
}

function requireChannels(x: Tensor, options: NormOptions): void {
  requirePositive("batchNorm", "epsilon", options.epsilon ?? 1e-5);
  if (x.shape.length < 2) {
    throw new DistilgradError(
      "shape",
      `batchNorm: expected x [samples, channels, …], got ${formatShape(x.shape)}`,
    );
  }
  const expected = "weight and bias [channels] for x [samples, channels, …]";
  requireAffine("batchNorm", x, options, [x.shape[1]], expected);
}

/** A copy of what no gradient flows into: running statistics may be written to before backward. */
function constant(name: string, values: Tensor, x: Tensor): Float64Array {
  kernelsOf("batchNorm", x, values);
  if (!sameShape(values.shape, [x.shape[1]])) {
    throw new DistilgradError(
      "shape",
      `batchNorm: expected ${name} [channels] for x ${formatShape(x.shape)}, got ${formatShape(values.shape)}`,
    );
  }
  if (values.requiresGrad) {
    throw new DistilgradError(
      "graph",
      `batchNorm: ${name} is a constant, got a tensor that requires a gradient; detach it`,
    );
  }
  return Float64Array.from(values.data);
}
