/** One check on many drawn cases, and the message about the simplest case in which it fails. */
import fc from "fast-check";
import type { OpCase, OpCheck, OpSpec, RunOptions } from "./op-spec.ts";

export interface CaseCheck {
  /** What is true of the op: a sentence without its subject. */
  readonly says: string;
  /** How many cases it draws, as a part of `numRuns`. */
  readonly share: number;
  /** Throws where it is not true of a case. `seed` is for what is drawn besides. */
  readonly holds: (drawn: OpCase, seed: number) => void;
  /** Which cases it is about, and what to do where the samples hold none. Default: all. */
  readonly only?: { readonly cases: (drawn: OpCase) => boolean; readonly otherwise: string };
}

export function checkOfCases(op: string, { samples }: OpSpec, check: CaseCheck): OpCheck {
  const name = `${op} ${check.says}`;
  return {
    name,
    run: ({ seed = 1, numRuns = 60, path }: RunOptions = {}) => {
      const property = fc.property(suitable(name, samples, check), fc.nat({ max: 1000 }), check.holds);
      const runs = Math.max(1, Math.ceil(check.share * numRuns));
      const found = fc.check(property, { seed, numRuns: runs, ...(path !== undefined && { path }) });
      if (!found.failed) return;
      if (found.counterexample === null) throw new Error(fc.defaultReportMessage(found));
      const [{ operands }] = found.counterexample;
      const { errorInstance: cause, counterexamplePath } = found;
      throw new Error(
        [
          `It is not true that ${name}: ${cause instanceof Error ? cause.message : String(cause)}`,
          ...operands.map((operand, i) => `  operand ${i}: ${String(operand).replaceAll("\n", "\n  ")}`),
          `  run({ seed: ${seed}, path: "${counterexamplePath}" }) repeats it`,
        ].join("\n"),
        { cause },
      );
    },
  };
}

/** The cases that a check is about. A check of nothing would pass, so it is an error when there is none. */
function suitable(name: string, samples: fc.Arbitrary<OpCase>, { only }: CaseCheck): fc.Arbitrary<OpCase> {
  if (!only) return samples;
  let [passedOver, found] = [0, false];
  return samples.filter((drawn) => {
    const fits = only.cases(drawn);
    found ||= fits;
    if (!found && ++passedOver === 1000) {
      throw new Error(`It is not known whether ${name}: 1000 samples hold no such case; ${only.otherwise}`);
    }
    return fits;
  });
}
