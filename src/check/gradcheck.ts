/**
 * Annex: does a backward pass compute the derivative of its forward pass? The same op code runs in float64, where a
 * fourth-order difference is good to about 1e-12, so a wrong derivative has nowhere to hide.
 */

import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Computation, type Leaf, leavesBehind } from "../graph.ts";
import { float64 } from "../kernels/float64.ts";
import type { Floats } from "../kernels/kernels.ts";
import { precisionOf } from "../kernels/rounding.ts";
import { RandomStream } from "../random.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";

export interface GradcheckOptions {
  /** Draws the random directions. Default 1. */
  readonly seed?: number;
  /** h of the difference. Default 1e-3; inputs should be of the order of 1. */
  readonly step?: number;
  /** Entries of the Jacobian up to which each is compared; beyond, random directions are. Default 2,000. */
  readonly fullUpTo?: number;
}

type Differentiable = (...inputs: Tensor[]) => Tensor;

/**
 * Compares backward with differences, and holds it to what every derivative satisfies.
 *
 *     f'(x) ≈ (f(x − 2h) − 8 f(x − h) + 8 f(x + h) − f(x + 2h)) / 12h        error h⁴ f⁽⁵⁾/30 + 1.5 u |f| / h
 *
 * Small functions: every entry of the Jacobian, |backward − difference| ≤ 1e-9 + 1e-8 · max |J|. Larger ones:
 * ⟨u, J v⟩ by difference against ⟨Jᵀ u, v⟩ by backward, for random u and v. Always: two passes give the same bits, a zero
 * cotangent gives zeros, gradients are linear in the cotangent, they add to what is there, and no input is changed.
 *
 * @param fn built of ops, any number of tensors to one
 * @param inputs float64 tensors; each is differentiated, and must reach the result. fn is handed leaves of its own that
 *   share their values: a parameter that fn reads from elsewhere is not among them. Keep them away from kinks such as
 *   ReLU's 0
 * @throws DistilgradError with the code "gradient" that names the input, the entry and both numbers
 * @see Griewank & Walther, Evaluating Derivatives (2008), §3.1 (adjoint identity)
 */
export function gradcheck(
  fn: Differentiable,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): void {
  const { seed = 1, step = 1e-3, fullUpTo = 2000 } = options;
  if (!Array.isArray(inputs)) {
    throw new DistilgradError("value", "gradcheck: expected a list of input tensors, such as [x]");
  }
  for (const [i, input] of inputs.entries()) {
    if (!(input instanceof Tensor) || input.kernels !== float64) {
      const got = input instanceof Tensor ? precisionOf(input.kernels) : typeof input;
      throw new DistilgradError(
        "kernels",
        `gradcheck: input ${i} must be a float64 tensor, got ${got}; make it with { kernels: float64 }`,
      );
    }
  }
  const random = new RandomStream(seed, "gradcheck");
  const before = inputs.map(({ data }) => data.slice());
  const leaves = leavesOf(inputs);
  const first = fn(...leaves);
  if (!(first instanceof Tensor)) {
    throw new DistilgradError("value", `gradcheck: fn must return a tensor, got ${kindOf(first)}`);
  }
  const name = first.node instanceof Computation ? first.node.op : fn.name || "function";
  const check: Check = { fn, inputs, name, step, seed };
  if (first.node === null) {
    if (inputs.length === 0 || first.size === 0) return;
    throw fault(check, "its result does not depend on any input");
  }
  const reached = first.node instanceof Computation ? leavesBehind(first.node) : new Map([[first.node, ""]]);
  for (const [i, { node, size }] of leaves.entries()) {
    if (size > 0 && !reached.has(node as Leaf)) {
      throw fault(
        check,
        `input ${i} does not reach the result, so nothing of it would be checked; fn must compute with the tensors that it is handed`,
      );
    }
  }
  const cotangent = randomFloats(first.size, random);

  compareBits(check, cotangent, before);
  compareLinearity(check, cotangent, randomFloats(first.size, random));
  compareAdding(check, cotangent);
  const entries = first.size * inputs.reduce((sum, input) => sum + input.size, 0);
  if (entries <= fullUpTo) compareJacobian(check, first.shape);
  else compareDirections(check, cotangent, random);
}

interface Check {
  readonly fn: Differentiable;
  readonly inputs: readonly Tensor[];
  readonly name: string;
  readonly step: number;
  readonly seed: number;
}

/** Two fresh passes agree to the last bit, leave the inputs alone, and give gradients of the inputs' shapes. */
function compareBits(check: Check, cotangent: Floats, before: readonly Floats[]): void {
  const [once, twice] = [gradients(check, cotangent), gradients(check, cotangent)];
  for (const [i, input] of check.inputs.entries()) {
    for (let j = 0; j < input.size; j++) {
      const at = `input ${i} at ${position(j, input.shape)}`;
      if (!Object.is(before[i][j], input.data[j])) throw fault(check, `${at}: the pass changed its input`);
      if (!Object.is(once[i][j], twice[i][j])) {
        throw fault(
          check,
          `${at}: two passes say ${once[i][j]} and ${twice[i][j]}; draw random numbers from a stream that fn restarts`,
        );
      }
    }
  }
  for (const [i, gradient] of gradients(check, new Float64Array(cotangent.length)).entries()) {
    const j = gradient.findIndex((value) => value !== 0);
    if (j !== -1) {
      const at = `input ${i} at ${position(j, check.inputs[i].shape)}`;
      throw fault(check, `${at}: a zero cotangent gives the gradient ${gradient[j]}`);
    }
  }
}

/** Jᵀ(u + 2w) = Jᵀu + 2 Jᵀw, up to the rounding of three passes. */
function compareLinearity(check: Check, u: Floats, w: Floats): void {
  const [ofU, ofW] = [gradients(check, u), gradients(check, w)];
  const ofSum = gradients(
    check,
    u.map((value, i) => value + 2 * w[i]),
  );
  const scale = largest([...ofU, ...ofW]);
  for (const [i, gradient] of ofSum.entries()) {
    for (let j = 0; j < gradient.length; j++) {
      const expected = ofU[i][j] + 2 * ofW[i][j];
      if (!(Math.abs(gradient[j] - expected) <= 1e-12 * (1 + 3 * scale))) {
        const at = `input ${i} at ${position(j, check.inputs[i].shape)}`;
        throw fault(
          check,
          `${at}: backward is not linear in the cotangent: ${gradient[j]} instead of ${expected}`,
        );
      }
    }
  }
}

/** Going back twice gives twice the gradient: pullbacks add to what is in the buffer, they do not overwrite it. */
function compareAdding(check: Check, u: Floats): void {
  const once = gradients(check, u);
  const leaves = leavesOf(check.inputs);
  for (let pass = 0; pass < 2; pass++) {
    const y = check.fn(...leaves);
    y.backward(new Tensor(u, y.shape, float64));
  }
  for (const [i, leaf] of leaves.entries()) {
    const twice = leaf.grad?.data ?? [];
    for (let j = 0; j < twice.length; j++) {
      if (Math.abs(twice[j] - 2 * once[i][j]) <= 1e-12 * (1 + largest(once))) continue;
      const at = `input ${i} at ${position(j, leaf.shape)}`;
      throw fault(
        check,
        `${at}: going back twice gives ${twice[j]} instead of ${2 * once[i][j]}; a pullback adds with += and never assigns`,
      );
    }
  }
}

function compareJacobian(check: Check, outputShape: Shape): void {
  const { inputs, step } = check;
  const outputs = sizeOf(outputShape);
  const rows = Array.from({ length: outputs }, (_, o) => {
    const unit = new Float64Array(outputs);
    unit[o] = 1;
    return gradients(check, unit);
  });
  const tolerance = 1e-9 + 1e-8 * largest(rows.flat());
  for (const [i, input] of inputs.entries()) {
    for (let j = 0; j < input.size; j++) {
      const direction = inputs.map((other, k) => {
        const unit = new Float64Array(other.size);
        if (k === i) unit[j] = 1;
        return unit;
      });
      const column = difference(check, direction, step);
      for (let o = 0; o < outputs; o++) {
        if (Math.abs(rows[o][i][j] - column[o]) <= tolerance) continue;
        // The two one-sided slopes differ by h f'' where f is smooth, which halves with h; at a kink they stay apart.
        const [wide, narrow] = [bend(check, direction, step)[o], bend(check, direction, step / 2)[o]];
        const kink = narrow > 1e-6 && narrow > 0.75 * wide;
        throw disagreement(
          check,
          `input ${i} at ${position(j, input.shape)}`,
          rows[o][i][j],
          column[o],
          tolerance,
          kink,
        );
      }
    }
  }
}

function compareDirections(check: Check, u: Floats, random: RandomStream): void {
  const byInput = gradients(check, u);
  for (let trial = 0; trial < 4; trial++) {
    const v = check.inputs.map((input) => randomFloats(input.size, random));
    const analytic = byInput.reduce((sum, gradient, i) => sum + dot(gradient, v[i]), 0);
    const numeric = dot(u, difference(check, v, check.step));
    // Rounding of both sides grows with the number of terms and their size.
    const terms = byInput.reduce(
      (sum, gradient, i) => sum + dot(gradient.map(Math.abs), v[i].map(Math.abs)),
      0,
    );
    const tolerance = 1e-8 + 1e-8 * terms;
    if (!(Math.abs(analytic - numeric) <= tolerance)) {
      throw disagreement(check, `along random direction ${trial}`, analytic, numeric, tolerance, false);
    }
  }
}

/** d/dt f(x + t v) at t = 0, for every output. */
function difference(check: Check, direction: readonly Floats[], h: number): Floats {
  const [a, b, c, d] = [-2 * h, -h, h, 2 * h].map((t) => valuesAt(check, direction, t));
  return a.map((_, o) => (a[o] - 8 * b[o] + 8 * c[o] - d[o]) / (12 * h));
}

/** How far the slope to the right of x is from the slope to the left, for every output. */
function bend(check: Check, direction: readonly Floats[], h: number): Floats {
  const [left, middle, right] = [-h, 0, h].map((t) => valuesAt(check, direction, t));
  return middle.map((_, o) => Math.abs(right[o] - 2 * middle[o] + left[o]) / h);
}

/** f(x + t v). */
function valuesAt({ fn, inputs }: Check, direction: readonly Floats[], t: number): Floats {
  return fn(
    ...inputs.map(
      (input, i) =>
        new Tensor(
          input.data.map((x, j) => x + t * direction[i][j]),
          input.shape,
          float64,
        ),
    ),
  ).data;
}

/** Jᵀu for every input, from a fresh forward and backward pass. */
function gradients(check: Check, u: Floats): Floats[] {
  const leaves = leavesOf(check.inputs);
  const y = check.fn(...leaves);
  y.backward(new Tensor(u, y.shape, float64));
  return leaves.map((leaf, i) => {
    const gradient = leaf.grad;
    if (gradient && !sameShape(gradient.shape, check.inputs[i].shape)) {
      throw fault(check, `input ${i}: its gradient is ${formatShape(gradient.shape)}`);
    }
    return gradient?.data.slice() ?? new Float64Array(leaf.size);
  });
}

/** Tensors that share the inputs' values and gather gradients of their own. */
function leavesOf(inputs: readonly Tensor[]): Tensor[] {
  return inputs.map((input) => {
    const leaf = new Tensor(input.storage, input.shape, float64);
    leaf.requiresGrad = true;
    return leaf;
  });
}

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const randomFloats = (size: number, random: RandomStream): Float64Array =>
  Float64Array.from({ length: size }, () => 2 * random.uniform() - 1);

function largest(arrays: readonly Floats[]): number {
  let max = 0;
  for (const array of arrays) for (const value of array) if (Math.abs(value) > max) max = Math.abs(value);
  return max;
}

/** `[1, 2]` of a flat index. */
function position(index: number, shape: Shape): string {
  const at: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(index % shape[axis]);
    index = Math.floor(index / shape[axis]);
  }
  return formatShape(at);
}

const fault = (check: Check, what: string): DistilgradError =>
  new DistilgradError("gradient", `gradcheck: ${check.name}: ${what} (seed ${check.seed})`);

function disagreement(
  check: Check,
  where: string,
  analytic: number,
  numeric: number,
  tolerance: number,
  kink: boolean,
): DistilgradError {
  const off = Math.abs(analytic - numeric).toExponential(1);
  const hint = kink ? "; the slopes on both sides differ: this is a kink, where there is no derivative" : "";
  const numbers = `backward says ${analytic.toPrecision(6)}, difference ${numeric.toPrecision(6)}`;
  return fault(check, `${where}: ${numbers}, off by ${off} > ${tolerance.toExponential(1)}${hint}`);
}
