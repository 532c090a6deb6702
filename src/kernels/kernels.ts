/**
 * Floor 0: hot loops over flat, row-major buffers. Kernels know lengths; they refuse to know tensors, shapes and
 * gradients.
 *
 * One rule holds for every method: a buffer named `d…`, and the result of a product, is accumulated into (`+=`); a
 * forward output is overwritten (`=`).
 *
 * Every kernel states its rounding class, so that two sets of the same precision give the same bits:
 *
 *     a  products    float32: one rounding per multiplication and one per addition, k ascending, starting from what is
 *                    in the output. float64: the same order.
 *     b  one operation an element: the store rounds.
 *     c  rows, sums  float64 inside, rounded once at the store. Sums down a column are in ascending order. A sum along
 *                    a row has eight lanes: lane l counts the terms l, l + 8, l + 16, … from the row's start, ascending;
 *                    then the upper half of the lanes is added to the lower half, until one is left.
 *     d  updates     float32: one rounding per operation, in the order of the formula. float64: the same order.
 */
import type { Simd } from "./wasm/extension.ts";

export type Floats = Float32Array | Float64Array;

export interface Kernels {
  /** What reports call this set, such as `float32`. */
  readonly name: string;
  /** Of its buffers: 4 for Float32Array, 8 for Float64Array. */
  readonly bytesPerElement: 4 | 8;
  /** How kernels that stand by themselves, for not every program needs them, run as SIMD; none in a plain set. */
  readonly simd?: Simd | undefined;

  /**
   * Zeros of this set's element type, for what an op computes. Inside a training step their memory is used again once
   * the step is over.
   */
  alloc(size: number): Floats;
  /** The same with whatever stands there, for an output that is overwritten as a whole. */
  room(size: number): Floats;
  /** The same in float64 in every set, for what is not rounded yet. */
  wideRoom(size: number): Float64Array;
  /** Zeros for what outlives every step: weights, their gradients, running values. */
  lasting(size: number): Floats;
  /** Runs `compute` as a step: what `alloc` gives within it is void afterwards. */
  step<T>(compute: () => T): T;

  /** a: C[m,n] += A[m,k] · B[k,n] */
  matmul(c: Floats, a: Floats, b: Floats, m: number, k: number, n: number): void;
  /** a: C[m,n] += A[m,k] · B[n,k]ᵀ */
  matmulTransposedB(c: Floats, a: Floats, b: Floats, m: number, k: number, n: number): void;
  /** a: C[m,n] += A[k,m]ᵀ · B[k,n] */
  matmulTransposedA(c: Floats, a: Floats, b: Floats, m: number, k: number, n: number): void;

  /** b: Y[r,:] = b */
  fillRows(y: Floats, b: Floats, rows: number): void;
  /** c, but not rounded: Σ x, as of one row */
  sum(x: Floats): number;
  /** c, but not rounded: ⟨x, y⟩, as of one row */
  dot(x: Floats, y: Floats): number;
  /** c: db += Σᵣ dY[r,:] */
  sumRows(db: Floats, dy: Floats, rows: number): void;

  /** b: y = a + b */
  add(y: Floats, a: Floats, b: Floats): void;
  /** b: y = a − b */
  sub(y: Floats, a: Floats, b: Floats): void;
  /** b: y = a ⊙ b */
  mul(y: Floats, a: Floats, b: Floats): void;
  /** b: y = a ⊘ b */
  div(y: Floats, a: Floats, b: Floats): void;
  /** b where s is a number of the set's precision, else c: y = s · x; y may be x */
  scale(y: Floats, s: number, x: Floats): void;
  /** b for s = ±1, else c: dx += s · dy */
  addScaled(dx: Floats, s: number, dy: Floats): void;
  /** c: dx += a ⊙ dy */
  addProduct(dx: Floats, a: Floats, dy: Floats): void;

  /** b: y = max(x, 0), NaN stays NaN */
  relu(y: Floats, x: Floats): void;
  /** b: dx += dy where x > 0, and where x is NaN */
  reluBackward(dx: Floats, x: Floats, dy: Floats): void;

  /** c, each row: y = exp(x − max x) · (1 / Σ exp(x − max x)) */
  softmax(y: Floats, x: Floats, rows: number, cols: number): void;
  /** c, each row: dx += y ⊙ (dy − ⟨dy, y⟩) */
  softmaxBackward(dx: Floats, y: Floats, dy: Floats, rows: number, cols: number): void;
  /** c, each row: y = (x − max x) − log Σ exp(x − max x) */
  logSoftmax(y: Floats, x: Floats, rows: number, cols: number): void;
  /** c, each row: dx += dy − exp(y) · Σ dy */
  logSoftmaxBackward(dx: Floats, y: Floats, dy: Floats, rows: number, cols: number): void;
  /**
   * c, but kept in float64, each row:
   *
   *     log p = (x − max x)/T − log Σ exp((x − max x)/T)
   *     p     = exp((x − max x)/T) · (1 / Σ exp((x − max x)/T))
   */
  distribution(
    p: Float64Array,
    logP: Float64Array,
    x: Floats,
    rows: number,
    cols: number,
    temperature: number,
  ): void;

  /**
   * d: one step of stochastic gradient descent.
   *
   *     g' = g + decay · w
   *     v  = momentum · v + g'           v starts at 0
   *     w  = w − rate · (nesterov ? g' + momentum · v : v)
   *
   * `v` is null when momentum is 0; then w = w − rate · g'.
   */
  sgdStep(w: Floats, g: Floats, v: Floats | null, settings: SgdStep): void;
  /**
   * d: one step of Adam, with `rate` already divided by 1 − β₁ᵗ and `root` = √(1 − β₂ᵗ).
   *
   *     g' = g + decay · w
   *     m  = β₁ · m + (1 − β₁) · g'
   *     v  = β₂ · v + ((1 − β₂) · g') · g'
   *     w  = w − rate · (m / (√v / root + ε))
   */
  adamStep(w: Floats, g: Floats, m: Floats, v: Floats, settings: AdamStep): void;
}

export interface SgdStep {
  readonly rate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly decay: number;
}

export interface AdamStep {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  readonly root: number;
}
