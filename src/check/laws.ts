/** Annex: what holds for the backward pass of every function, whatever it computes. No differences yet. */
import { Computation, newestFirst } from "../graph.ts";
import type { Floats } from "../kernels/kernels.ts";
import { exactly, Failure, positionIn } from "./failure.ts";
import { forward, goBack, leavesOf, pullBack } from "./passes.ts";
import type { Subject } from "./question.ts";

/**
 * What n roundings in each of a few passes may amount to, relative to the largest gradient: n u, for sums of up to 10⁵
 * terms and a factor of 9.
 */
const ROUNDING = 1e-10;

/** Forward leaves its inputs alone; backward these, every value that an op saved, and the cotangent. */
export function requireUntouched(subject: Subject, u: Floats): void {
  const leaves = leavesOf(subject.inputs);
  const before = leaves.map(({ data }) => data.slice());
  const requireInputs = (pass: string): void => {
    for (const [input, { data }] of leaves.entries()) {
      const index = firstChange(data, before[input]);
      if (index === -1) continue;
      const what = `the ${pass} pass changed its input from ${exactly(before[input][index])} to ${exactly(data[index])}`;
      throw new Failure(subject, { law: "untouched", at: { input, index }, what });
    }
  };
  const y = forward(subject, leaves);
  requireInputs("forward");
  const nodes = y.node instanceof Computation ? newestFirst(y.node) : [];
  const saved = nodes.flatMap(({ op, saved }) =>
    saved.map(({ data }, i) => ({
      data,
      copy: data.slice(),
      what: i === saved.length - 1 ? `the result of ${op}` : `operand ${i} of ${op}`,
    })),
  );
  const dy = y.node instanceof Computation ? y.node.buffer() : u;
  goBack(subject, y, u);
  requireInputs("backward");
  for (const { data, copy, what } of saved) {
    const index = firstChange(data, copy);
    if (index === -1) continue;
    throw new Failure(subject, {
      law: "untouched",
      what: `the backward pass changed ${what} from ${exactly(copy[index])} to ${exactly(data[index])}; a pullback writes to the buffer it is handed first and to nothing else`,
    });
  }
  const index = firstChange(dy, u);
  if (index === -1) return;
  throw new Failure(subject, {
    law: "untouched",
    what: `a pullback changed the cotangent it is handed at ${positionIn(y.shape, index)} from ${exactly(u[index])} to ${exactly(dy[index])}; other pullbacks read it too`,
  });
}

/** Where two buffers first differ in a bit; −1 where they do not. */
function firstChange(now: Floats, before: Floats): number {
  return now.findIndex((value, i) => !Object.is(value, before[i]));
}

/** Two fresh passes agree to the last bit, in result and gradients. Gradients are finite. */
export function requireSameBits(subject: Subject, u: Floats): void {
  const remedy =
    "does it draw random numbers or keep a state? Let it restart its stream, or put dropout into evaluation mode";
  const results = [1, 2].map(() => forward(subject, leavesOf(subject.inputs)).data);
  const at = firstChange(results[0], results[1]);
  if (at !== -1) {
    throw new Failure(subject, {
      law: "repeatable",
      what: `two passes over the same inputs give ${exactly(results[0][at])} and ${exactly(results[1][at])} at ${positionIn(subject.shape, at)}; ${remedy}`,
    });
  }
  const [once, twice] = [pullBack(subject, u), pullBack(subject, u)];
  for (const input of subject.inputs.keys()) {
    const infinite = once[input].findIndex((value) => !Number.isFinite(value));
    if (infinite !== -1) {
      throw new Failure(subject, {
        law: "finite",
        code: "nonfinite",
        at: { input, index: infinite },
        what: `backward says ${once[input][infinite]}, from a finite result; move the input if there is no finite derivative there, else look for a division by 0 in the pullback`,
      });
    }
    const index = firstChange(once[input], twice[input]);
    if (index === -1) continue;
    throw new Failure(subject, {
      law: "repeatable",
      at: { input, index },
      what: `two backward passes give ${exactly(once[input][index])} and ${exactly(twice[input][index])}; ${remedy}`,
    });
  }
}

/** Jᵀ0 = 0, exactly. */
export function requireZeros(subject: Subject, size: number): void {
  for (const [input, gradient] of pullBack(subject, new Float64Array(size)).entries()) {
    const index = gradient.findIndex((value) => value !== 0);
    if (index === -1) continue;
    const what = `a zero cotangent gives the gradient ${gradient[index]}; every term of a pullback has dy as a factor`;
    throw new Failure(subject, { law: "zero", at: { input, index }, what });
  }
}

/** Jᵀ(u + 2w) = Jᵀu + 2 Jᵀw, up to the rounding of three passes. */
export function requireLinear(subject: Subject, u: Floats, w: Floats): void {
  const [ofU, ofW] = [pullBack(subject, u), pullBack(subject, w)];
  const sum = u.map((value, i) => value + 2 * w[i]);
  const expected = ofU.map((gradient, i) => gradient.map((value, j) => value + 2 * ofW[i][j]));
  const wrong = firstApart(pullBack(subject, sum), expected);
  if (wrong === null) return;
  throw new Failure(subject, {
    law: "linear",
    at: wrong,
    what: `backward is not linear in the cotangent: ${wrong.got} instead of ${wrong.expected}; the derivative depends on the inputs, never on dy`,
  });
}

/** Going back twice gives twice the gradient: pullbacks add to what is in the buffer, they do not overwrite it. */
export function requireAdding(subject: Subject, u: Floats): void {
  const expected = pullBack(subject, u).map((gradient) => gradient.map((value) => 2 * value));
  const leaves = leavesOf(subject.inputs);
  for (let pass = 0; pass < 2; pass++) goBack(subject, forward(subject, leaves), u);
  const twice = leaves.map((leaf) => leaf.grad?.data ?? new Float64Array(leaf.size));
  const wrong = firstApart(twice, expected);
  if (wrong === null) return;
  throw new Failure(subject, {
    law: "adds",
    at: wrong,
    what: `going back twice gives ${wrong.got} instead of ${wrong.expected}; a pullback adds with += and never assigns`,
  });
}

/** The first entry where some gradients are further from what is expected than rounding explains. */
function firstApart(gradients: readonly Floats[], expected: readonly Floats[]) {
  const tolerance = ROUNDING * (1 + largest(expected));
  for (const [input, gradient] of gradients.entries()) {
    const index = gradient.findIndex((value, j) => !(Math.abs(value - expected[input][j]) <= tolerance));
    if (index !== -1) return { input, index, got: gradient[index], expected: expected[input][index] };
  }
  return null;
}

/** The largest magnitude in some buffers. */
export function largest(buffers: readonly Floats[]): number {
  let most = 0;
  for (const buffer of buffers) for (const value of buffer) most = Math.max(most, Math.abs(value));
  return most;
}
