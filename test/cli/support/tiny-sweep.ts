import type { Grid } from "../../../src/cli/sweep-grid.ts";
import type { Sweep } from "../../../src/cli/sweep-run.ts";
import { clouds, tinyJob } from "./tiny.ts";

export const tinyGrid: Grid = {
  students: [[4], [3, 2]],
  losses: ["softTargetLoss", "logitMatchingLoss"],
  betas: [0, 0.5],
  alphas: [0.2, 0.7],
  temperatures: [1, 4],
};

export const tinySweep = (changes: Partial<Sweep["recipe"]> = {}, table = clouds(90)): Sweep => ({
  ...tinyJob({ labels: null, ...changes }, table),
  validation: 0.25,
});

/** The options of a sweep of 8 settings and 2 students alone, in seconds. */
export const quickSweep =
  "--teacher 8,8 --teacher-epochs 3 --student-steps 20 --students 4;3,2 --temperatures 1,4 --alphas 0.2,0.7 --seeds 2 --processes 1".split(
    " ",
  );
