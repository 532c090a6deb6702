import { kindOf, requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { float32 } from "../../kernels/float32.ts";
import { plainFloat32 } from "../../kernels/plain-float32.ts";
import * as bits from "./bit-checks.ts";
import { checkOfCases } from "./case-check.ts";
import * as gradients from "./gradient-checks.ts";
import { isLinear } from "./linearity-check.ts";
import type { OpCheck, OpSpec } from "./op-spec.ts";
import { checkOfError, checkOfGolden, checkOfPoint } from "./point-checks.ts";
import * as values from "./value-checks.ts";

const parts: readonly (keyof OpSpec)[] = [
  "samples",
  "errors",
  "domain",
  "kinks",
  "linear",
  "rowAxes",
  "refusesEmpty",
  "golden",
  "recordedAs",
];

/**
 * Every check that can be made of what is said about an op, for any test runner:
 *
 *     for (const check of opChecks("softsign", spec)) test(check.name, () => check.run());
 *
 * Of each drawn case: value, shape and gradient; float32 against float64, forward and backward; the same bits twice;
 * nothing is changed, nothing that is there is overwritten, nothing is computed that nobody asked for; gradients are
 * linear in the cotangent, and exactly 0 for 0; operands without values; the name in the graph. Where the entry says so:
 * rows alone, linearity and adjoint, edges, kinks, golden numbers, errors. Where SIMD kernels serve when it is called:
 * their bits against those of the plain ones.
 *
 * @param op its name, which messages and the graph use
 * @returns in an order in which the first failure says most; a failing check throws an error with the case, which has
 *   been made as simple as it can be, and with what replays it
 * @throws on an entry that has no samples, or a part that is none of them
 */
export function opChecks(op: string, spec: OpSpec): OpCheck[] {
  requireOptions("opChecks", spec, parts);
  if (typeof spec.samples?.generate !== "function") {
    throw new DistilgradError(
      "value",
      `opChecks: expected samples, an arbitrary of cases, got ${kindOf(spec.samples)}`,
    );
  }
  for (const { at, value, gradients: given } of [
    ...(spec.domain ?? []),
    ...(spec.kinks ?? []),
    ...(spec.golden ?? []),
  ]) {
    if (value !== undefined || given !== undefined) continue;
    throw new DistilgradError("value", `opChecks: expected a value, gradients or both at ${at}, got neither`);
  }
  const {
    errors = [],
    domain = [],
    kinks = [],
    golden = [],
    linear,
    rowAxes,
    refusesEmpty,
    recordedAs,
  } = spec;
  return [
    values.hasItsShape,
    values.givesItsReference,
    gradients.hasItsGradient,
    values.isExactInFloat32,
    gradients.hasAnExactGradientInFloat32,
    ...(float32.name === plainFloat32.name ? [] : [bits.givesTheBitsOfThePlainSet]),
    bits.givesTheSameBitsTwice,
    bits.leavesItsOperandsAlone,
    gradients.addsItsGradients,
    gradients.computesOnlyWhatIsAsked,
    gradients.isLinearInTheCotangent,
    gradients.sendsNothingForNothing,
    ...(refusesEmpty ? [] : [values.takesNoValues]),
    ...(rowAxes === undefined ? [] : [bits.computesRowsAlone(rowAxes)]),
    ...(linear === undefined ? [] : [isLinear(linear)]),
    gradients.isRecordedAs(recordedAs ?? [op]),
  ]
    .map((check) => checkOfCases(op, spec, check))
    .concat(
      domain.map((point) => checkOfPoint(op, "is right at", point)),
      kinks.map((point) => checkOfPoint(op, "chooses its gradient at", point)),
      golden.map((one) => checkOfGolden(op, one)),
      errors.map(([call, message]) => checkOfError(op, call, message)),
    );
}
