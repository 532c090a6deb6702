/** Annex: from what did not hold to an error that says why: the smallest case, and what the pattern looks like. */
import { nested } from "../nested.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { Failure, GradcheckError, type Law } from "./failure.ts";
import { hintOf } from "./hints.ts";
import { jacobiansOf } from "./jacobians.ts";
import { subjectOf } from "./passes.ts";
import { entriesOf, prove } from "./prove.ts";
import type { Question } from "./question.ts";
import { type Candidate, smaller } from "./shrink.ts";

/** Laws whose failing is a property of the inputs' sizes and values. */
const SHRINKABLE: readonly Law[] = ["finite", "zero", "linear", "adds", "differences"];
/** How many values fn is handed, all in all, in each search: for a smaller case, for a step. */
const BUDGET = 1e7;
/** Entries up to which each is compared while a smaller case is looked for: that costs the square of the size. */
const FULL_UP_TO = 200;
/** Up to how many values a case is printed. */
const PRINTED = 12;
/** Steps that are tried, as multiples of the one that was asked for. */
const STEPS = [10, 100, 1000, 1e-1, 1e-2, 1e-3];

/** The error to throw for a failure. */
export function explained(question: Question, failure: Failure): GradcheckError {
  const shrinking = { ...limited(question), fullUpTo: Math.min(question.fullUpTo, FULL_UP_TO) };
  const cases: Candidate[] = [{ inputs: question.inputs, place: failure.place }];
  if (SHRINKABLE.includes(failure.law)) {
    const fails = (inputs: readonly Tensor[]): Candidate | null => {
      const found = failureOf({ ...shrinking, inputs });
      if (found?.law !== failure.law) return null;
      const elsewhere = failure.place !== null && found.place?.input !== failure.place.input;
      return elsewhere ? null : { inputs, place: found.place };
    };
    for (const found of smaller(cases[0], question.fixed, fails)) cases.push(found);
  }
  const { inputs } = cases[cases.length - 1];
  const hint = failure.law === "differences" ? (patternOf(question, cases) ?? stepOf(question)) : null;
  const lines = [failure.message];
  if (hint !== null) lines.push(`hint: ${hint}`);
  const printed = inputs.reduce((sum, { size }) => sum + size, 0) <= PRINTED;
  if (SHRINKABLE.includes(failure.law) && printed) lines.push(`smallest case: ${textOf(question, inputs)}`);
  const { seed, step } = question;
  return new GradcheckError(failure, lines.join("\n  "), hint, { inputs, options: { seed, step } });
}

/** The failure that a question ends with; null when all holds, or fn does not run. */
function failureOf(question: Question): Failure | null {
  try {
    prove(question);
    return null;
  } catch (error) {
    return error instanceof Failure ? error : null;
  }
}

/** The hint of the largest case whose Jacobians are small enough to look at as a whole: smaller ones show less. */
function patternOf(question: Question, cases: readonly Candidate[]): string | null {
  for (const [i, { inputs, place }] of cases.entries()) {
    try {
      const subject = subjectOf({ ...question, inputs });
      if (place === null || entriesOf(subject) > question.fullUpTo) continue;
      const hint = hintOf(jacobiansOf(subject)[place.input]);
      if (hint === null || i === 0) return hint;
      return `cut to ${inputs.map(({ shape }) => formatShape(shape)).join(", ")}, ${hint}`;
    } catch {
      return null; // It could be compared along directions, but not entry by entry.
    }
  }
  return null;
}

/** Whether another step makes it agree: then the step is wrong, and not the gradient. */
function stepOf(question: Question): string | null {
  const searching = limited(question);
  for (const factor of STEPS) {
    const step = Number((question.step * factor).toPrecision(6));
    try {
      prove({ ...searching, step });
    } catch {
      continue;
    }
    return `with { step: ${step} } it agrees: inputs far from the order of 1 and strongly curved functions need another step`;
  }
  return null;
}

/** The same question, whose function gives up once it has been handed so many values. */
function limited(question: Question): Question {
  let left = BUDGET;
  const fn: Question["fn"] = (...inputs) => {
    for (const { size } of inputs) left -= size + 1;
    if (left < 0) throw new RangeError("the search has taken long enough");
    return question.fn(...inputs);
  };
  return { ...question, fn };
}

const textOf = ({ labels }: Question, inputs: readonly Tensor[]): string =>
  inputs
    .map(
      ({ data, shape }, i) => `${labels[i]} = ${JSON.stringify(nested(data, shape)).replaceAll(",", ", ")}`,
    )
    .join(", ");
