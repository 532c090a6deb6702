/** Annex: every law in turn, the plainest first, so that the first that fails is the one to mend. */
import { RandomStream } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { compareDirections } from "./directions.ts";
import type { Agreement } from "./disagreement.ts";
import { compareEntries } from "./entries.ts";
import { requireAdding, requireLinear, requireSameBits, requireUntouched, requireZeros } from "./laws.ts";
import { randomFloats, subjectOf } from "./passes.ts";
import type { Question, Subject } from "./question.ts";

/** What a check that passed has proved. */
export interface GradcheckReport extends Agreement {
  /** What was checked: an op, a function, a module or a trainer. */
  readonly name: string;
  readonly seed: number;
  readonly step: number;
}

/** @throws Failure for the first law that does not hold */
export function prove(question: Question): GradcheckReport {
  const { seed, step } = question;
  const random = new RandomStream(seed, "gradcheck");
  const subject = subjectOf(question);
  const size = sizeOf(subject.shape);
  const [u, w] = [randomFloats(size, random), randomFloats(size, random)];
  requireUntouched(subject, u);
  requireSameBits(subject, u);
  requireZeros(subject, size);
  requireLinear(subject, u, w);
  requireAdding(subject, u);
  const small = entriesOf(subject) <= subject.fullUpTo;
  const agreement = small ? compareEntries(subject) : compareDirections(subject, u, random);
  return { name: subject.name, ...agreement, seed, step };
}

/** Of all Jacobians together. */
export const entriesOf = ({ shape, inputs }: Subject): number =>
  sizeOf(shape) * inputs.reduce((sum, { size }) => sum + size, 0);
