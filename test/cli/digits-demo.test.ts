import { describe, expect, it } from "vitest";
import { checkJob } from "../../src/cli/check-job.ts";
import { digitsJob } from "../../src/cli/digits-demo.ts";
import { plain } from "../../src/cli/paint.ts";
import { printReport } from "../../src/cli/print-report.ts";
import { runSeeds } from "../../src/cli/processes.ts";
import { studentPlans } from "../../src/cli/recipe.ts";
import { reportOn } from "../../src/cli/report.ts";

const job = digitsJob({ temperature: 4, alpha: 0.7, labels: 50 });

describe("the demo", () => {
  it("is the reference comparison", () => {
    expect(job.recipe).toEqual({
      teacher: { count: 1, hidden: [256, 256], dropout: 0.2, epochs: 40, learningRate: 2e-3 },
      student: { hidden: [32], learningRate: 5e-3, steps: 3000, fewSteps: 800 },
      batch: 64,
      test: 0.2,
      standardize: false,
      labels: 50,
      temperature: 4,
      terms: null,
      alpha: 0.7,
    });
    expect(
      studentPlans(job.recipe).map(({ id, rows, learnsFrom, steps, twin }) => [
        id,
        rows,
        learnsFrom,
        steps,
        twin,
      ]),
    ).toEqual([
      ["fewAlone", "few", "labels", 800, null],
      ["fewTaught", "few", "both", 800, "fewAlone"],
      ["unlabelled", "everything", "teacher", 3000, "allAlone"],
      ["allAlone", "labelled", "labels", 3000, null],
    ]);
    expect(checkJob(job, 5)).toEqual([]);
  });

  it("shows the gain already with a small teacher of ten epochs and students of 200 steps", async () => {
    const { recipe } = job;
    const quick = {
      ...job,
      recipe: {
        ...recipe,
        teacher: { ...recipe.teacher, hidden: [64], epochs: 10 },
        student: { ...recipe.student, steps: 200, fewSteps: 200 },
      },
    };
    const results = await runSeeds(quick, { seeds: 2, processes: 1, onProgress: () => {} });
    const report = reportOn(quick, results, { processes: 1, seconds: 1, notes: [] });
    const [teacher, alone, taught] = report.models;
    expect(teacher.mean).toBeGreaterThan(0.9);
    expect(taught.mean).toBeGreaterThan(alone.mean);
    expect(alone).toMatchObject({ parameters: 2410, bytes: 9640, layers: [64, 32, 10] });
    for (const line of printReport(report, plain).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});
