/** How closely backward and differences agree: every op of the table, on cases that its entry draws. */
import fc from "fast-check";
import { type GradcheckReport, gradcheck } from "../../src/check/index.ts";
import { specs } from "../ops/specs.ts";

export interface OpAgreement {
  readonly op: string;
  readonly cases: number;
  /** Entries of Jacobians that were compared, and directions. */
  readonly entries: number;
  readonly directions: number;
  /** The largest error as a part of what it may be: 1 would be the limit. */
  readonly worst: number;
}

export function agreements(cases: number): OpAgreement[] {
  return Object.entries(specs).map(([op, { samples }]) => {
    const reports = fc
      .sample(samples, { seed: 1, numRuns: cases })
      .filter(({ operands }) => operands.every(({ size }) => size > 0))
      .map(({ operands, call, step = 1e-3 }) => gradcheck(call, operands, { step }));
    const counted = (kind: GradcheckReport["compared"]): number =>
      reports.filter(({ compared }) => compared === kind).reduce((sum, { count }) => sum + count, 0);
    return {
      op,
      cases: reports.length,
      entries: counted("entries"),
      directions: counted("directions"),
      worst: Math.max(...reports.map(({ error, tolerance }) => error / tolerance)),
    };
  });
}
