/** Annex: fresh passes through the function in question, forward and back. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { Computation, type Leaf, leavesBehind, newestFirst } from "../graph.ts";
import { float64 } from "../kernels/float64.ts";
import type { Floats } from "../kernels/kernels.ts";
import { precisionOf } from "../kernels/rounding.ts";
import { firstNonFinite } from "../non-finite.ts";
import type { RandomStream } from "../random.ts";
import { formatShape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { Failure, positionIn } from "./failure.ts";
import type { Differentiable, Question, Subject } from "./question.ts";

/** Runs fn once, and requires that it is a function of all of its inputs with a finite float64 result. */
export function subjectOf(question: Question): Subject {
  const leaves = leavesOf(question.inputs);
  const y = forward(question, leaves);
  const subject: Subject = { ...question, name: question.name ?? nameOf(y, question.fn), shape: y.shape };
  const reached = y.node instanceof Computation ? leavesBehind(y.node) : new Map([[y.node, ""]]);
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.size === 0 || y.size === 0 || reached.has(leaf.node as Leaf)) continue;
    throw new Failure(subject, {
      law: "reached",
      what:
        y.node === null
          ? "its result does not depend on any input; is it computed inside noGrad, or detached?"
          : `${subject.labels[i]} does not reach the result, so nothing of it would be checked; ${remedy(subject, i)}`,
    });
  }
  const culprit = firstNonFinite(y);
  if (culprit !== null) {
    const at = y.data.findIndex((value) => !Number.isFinite(value));
    throw new Failure(subject, {
      law: "finite",
      code: "nonfinite",
      what: `the result is ${y.data[at]} at ${positionIn(y.shape, at)}, first seen at ${culprit.op}; a derivative needs finite numbers: choose inputs inside the function's domain`,
    });
  }
  return subject;
}

const remedy = ({ fixed }: Question, input: number): string =>
  input < fixed
    ? "freeze it with requiresGrad = false if the result is not meant to depend on it"
    : "fn must compute with the tensors that it is handed";

/** One op is called by its name; a composition by its function's, where that has one. */
function nameOf({ node }: Tensor, fn: Differentiable): string {
  if (!(node instanceof Computation)) return fn.name || "function";
  return newestFirst(node).length > 1 && fn.name !== "" ? fn.name : node.op;
}

/** fn of some tensors, which must be a tensor in float64. */
export function forward({ caller, fn }: Question, inputs: readonly Tensor[]): Tensor {
  let y: Tensor;
  try {
    y = fn(...inputs);
  } catch (error) {
    if (!(error instanceof DistilgradError) || error.code !== "kernels") throw error;
    throw new DistilgradError(
      "kernels",
      `${caller}: the function runs in float64, and so must all that it reads: hand that in as an input, make it with { kernels: float64 }, or leave a module's tensors to gradcheckModule, which finds them in its fields; ${error.message}`,
    );
  }
  if (!(y instanceof Tensor)) {
    throw new DistilgradError("value", `${caller}: the function must return a tensor, got ${kindOf(y)}`);
  }
  if (y.kernels !== float64) {
    throw new DistilgradError(
      "kernels",
      `${caller}: the function returned a ${precisionOf(y.kernels)} tensor for float64 inputs; make what it returns in the set of its operands, with x.kernels`,
    );
  }
  return y;
}

/** Tensors with the inputs' values, which a faulty pass may spoil, that gather gradients of their own. */
export function leavesOf(inputs: readonly Tensor[]): Tensor[] {
  return inputs.map((input) => {
    const leaf = new Tensor(input.data.slice(), input.shape, float64);
    leaf.requiresGrad = true;
    return leaf;
  });
}

/** Jᵀu for every input, from a fresh forward and backward pass. A gradient has its input's shape by construction. */
export function pullBack(subject: Subject, u: Floats): Floats[] {
  const leaves = leavesOf(subject.inputs);
  goBack(subject, forward(subject, leaves), u);
  return leaves.map((leaf) => leaf.grad?.data.slice() ?? new Float64Array(leaf.size));
}

/** Backward from a result, which must have the shape that it had before. */
export function goBack(subject: Subject, y: Tensor, u: Floats): void {
  requireSameShape(subject, y);
  y.backward(new Tensor(u, y.shape, float64));
}

/** f(x + t v), without a graph. */
export function valuesAt(subject: Subject, direction: readonly Floats[], t: number): Floats {
  const moved = subject.inputs.map(
    ({ data, shape }, i) =>
      new Tensor(
        data.map((x, j) => x + t * direction[i][j]),
        shape,
        float64,
      ),
  );
  const y = forward(subject, moved);
  requireSameShape(subject, y);
  const at = y.data.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return y.data;
  throw new Failure(subject, {
    law: "finite",
    code: "nonfinite",
    what: `the result is finite, but ${y.data[at]} at ${positionIn(y.shape, at)} when its inputs move by ${Math.abs(t)}; keep them away from the edge of the function's domain, or pass a smaller step`,
  });
}

function requireSameShape(subject: Subject, { shape }: Tensor): void {
  if (sameShape(shape, subject.shape)) return;
  throw new Failure(subject, {
    law: "repeatable",
    what: `its result was ${formatShape(subject.shape)} and is now ${formatShape(shape)}; its shape must depend on the inputs' shapes alone`,
  });
}

/** Independent values, uniform in [−1, 1). Never all ones: softmax passes those trivially. */
export const randomFloats = (size: number, random: RandomStream): Float64Array =>
  Float64Array.from({ length: size }, () => 2 * random.uniform() - 1);
