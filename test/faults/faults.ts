/** All seeded faults, from the lowest floor up. */
import { checkFaults } from "./check.ts";
import { commandLineFaults } from "./command-line.ts";
import { dataFaults } from "./data.ts";
import { distillFaults } from "./distill.ts";
import { distillationLossFaults } from "./distillation-losses.ts";
import { elementwiseFaults } from "./elementwise.ts";
import { evaluateCommandFaults } from "./evaluate-command.ts";
import type { Fault } from "./fault.ts";
import { graphFaults } from "./graph.ts";
import { kernelFaults } from "./kernels.ts";
import { labelCommandFaults } from "./label-command.ts";
import { lossFaults } from "./losses.ts";
import { movementFaults } from "./movement.ts";
import { nnFaults } from "./nn.ts";
import { normFaults } from "./norms.ts";
import { numberFaults } from "./numbers.ts";
import { optimFaults } from "./optim.ts";
import { productFaults } from "./products.ts";
import { reportFaults } from "./reports.ts";
import { simdFaults } from "./simd.ts";
import { softTargetFaults } from "./soft-targets.ts";
import { sweepFaults } from "./sweep.ts";
import { teacherFaults } from "./teachers.ts";
import { termFaults } from "./terms.ts";

export const faults: readonly Fault[] = [
  ...numberFaults,
  ...kernelFaults,
  ...simdFaults,
  ...graphFaults,
  ...elementwiseFaults,
  ...movementFaults,
  ...productFaults,
  ...normFaults,
  ...lossFaults,
  ...nnFaults,
  ...optimFaults,
  ...dataFaults,
  ...distillFaults,
  ...distillationLossFaults,
  ...teacherFaults,
  ...termFaults,
  ...reportFaults,
  ...softTargetFaults,
  ...evaluateCommandFaults,
  ...labelCommandFaults,
  ...sweepFaults,
  ...commandLineFaults,
  ...checkFaults,
];
