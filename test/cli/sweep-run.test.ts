import { describe, expect, it } from "vitest";
import { layerWidths, studentPlans } from "../../src/cli/recipe.ts";
import type { Pupil, SweepRun } from "../../src/cli/sweep-grid.ts";
import { type Score, type Sweep, studentRuns, sweepData, teacherRun } from "../../src/cli/sweep-run.ts";
import type { Judges } from "../../src/cli/sweep-split.ts";
import { readTeacher, teacherBytes } from "../../src/cli/sweep-teacher.ts";
import { studentTraining, train } from "../../src/cli/trainings.ts";
import { evaluate, predictLogits } from "../../src/distill/evaluate.ts";
import { assess } from "../../src/distill/report/assess.ts";
import { tinySweep } from "./support/tiny-sweep.ts";

function finish<Progress, Result>(
  steps: Generator<Progress, Result, void>,
): { progress: Progress[]; result: Result } {
  const progress: Progress[] = [];
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { progress, result: value };
    progress.push(value);
  }
}

const teacherOf = (sweep: Sweep, seed: number): Uint8Array => finish(teacherRun(sweep, seed)).result;

function scorer(sweep: Sweep, judges: Judges = "validation") {
  const teachers = new Map([0, 1].map((seed) => [seed, teacherOf(sweep, seed)]));
  const doRun = studentRuns({ sweep, teachers, judges });
  return (run: SweepRun): Score => finish(doRun(run)).result;
}

const reference: Pupil = { student: [4], loss: "softTargetLoss", beta: 0, alpha: 0.7, temperature: 4 };
const alone: Pupil = { student: [4], loss: null };

describe("a run of a sweep", () => {
  it.each([null, 9])("trains as distill does, on its own rows: %s labels", (labels) => {
    const sweep = tinySweep({ labels });
    const data = sweepData(sweep, 1, "validation");
    const { model: teacher } = readTeacher(teacherOf(sweep, 1), layerWidths(sweep.table, [8, 8]));
    const everything = { ...data.everything, teacherLogits: predictLogits(teacher, data.everything.x) };
    const score = scorer(sweep);
    for (const [pupil, learnsFrom] of [
      [alone, "labels"],
      [reference, "both"],
    ] as const) {
      const plan = studentPlans(sweep.recipe).find(
        (each) =>
          each.learnsFrom === learnsFrom &&
          each.rows !== "everything" &&
          (labels === null || each.rows === "few"),
      )!;
      const training = studentTraining(sweep, plan, teacher, everything, data, 1);
      for (const _ of train(training));
      const { accuracy, loss, divergence } = assess(training.model, data.test, { teacher });
      expect(score({ seed: 1, pupil })).toEqual({ accuracy, loss, divergence });
    }
  });

  it("makes twins: with alpha 1 and beta 0, which ignore the teacher, a student is the one alone to the last bit", () => {
    const score = scorer(tinySweep());
    for (const seed of [0, 1]) {
      const ignoring = score({ seed, pupil: { ...reference, alpha: 1 } });
      expect(ignoring).toEqual(score({ seed, pupil: alone }));
      expect(ignoring).not.toEqual(score({ seed, pupil: { ...reference, alpha: 0.2 } }));
    }
  });

  it("learns from the loss, the temperature, the weights and the widths of its setting", () => {
    const score = scorer(tinySweep());
    const losses = [
      reference,
      { ...reference, temperature: 1 },
      { ...reference, alpha: 0.1 },
      { ...reference, beta: 2 },
      { ...reference, loss: "reverseKlLoss" },
      { ...reference, loss: "logitMatchingLoss", temperature: null },
      { ...reference, student: [3, 2] },
    ].map((pupil) => score({ seed: 0, pupil }).loss);
    expect(new Set(losses).size).toBe(losses.length);
  });

  it("gives the same score in whatever order, and others for another seed and other judges", () => {
    const sweep = tinySweep();
    const score = scorer(sweep);
    const first = score({ seed: 0, pupil: reference });
    const other = score({ seed: 1, pupil: reference });
    expect(other).not.toEqual(first);
    expect(score({ seed: 0, pupil: reference })).toEqual(first);
    expect(scorer(sweep, "test")({ seed: 0, pupil: reference })).not.toEqual(first);
  });

  it("is judged on validation rows as the test rows' values and labels are anything else", () => {
    const sweep = tinySweep();
    const test = testRowsOf(sweep);
    const { table } = sweep;
    const other = tinySweep(
      {},
      {
        ...table,
        values: table.values.map((value, i) => (test.has(i >> 1) ? 100 - value : value)),
        labels: table.labels.map((label, row) => (test.has(row) ? (label + 1) % 3 : label)),
      },
    );
    expect(teacherOf(other, 0)).toEqual(teacherOf(sweep, 0));
    const run = { seed: 0, pupil: reference };
    expect(scorer(other)(run)).toEqual(scorer(sweep)(run));
    expect(scorer(other, "test")(run)).not.toEqual(scorer(sweep, "test")(run));
  });

  it("reports progress that ends at 1, with the accuracy of what is trained", () => {
    const sweep = tinySweep();
    const { progress, result } = finish(teacherRun(sweep, 0));
    const { accuracy } = readTeacher(result, layerWidths(sweep.table, [8, 8]));
    expect(progress[progress.length - 1]).toEqual({ done: 1, accuracy });
    const doRun = studentRuns({ sweep, teachers: new Map([[0, result]]), judges: "validation" });
    const student = finish(doRun({ seed: 0, pupil: reference }));
    expect(student.progress.map(({ done }) => done)).toEqual([
      ...Array.from({ length: 30 }, (_, i) => (i + 1) / 30),
      1,
    ]);
    expect(student.progress[30].accuracy).toBe(student.result.accuracy);
  });
});

describe("a teacher's bytes", () => {
  const sweep = tinySweep();
  const bytes = teacherOf(sweep, 0);
  const layers = layerWidths(sweep.table, [8, 8]);

  it("give the teacher back, and its accuracy on validation rows", () => {
    const { model, accuracy } = readTeacher(bytes, layers);
    const { test } = sweepData(sweep, 0, "validation");
    expect(accuracy).toBe(evaluate(model, test).accuracy);
    expect(model.training).toBe(false);
    expect(teacherBytes(model, accuracy)).toEqual(bytes);
  });

  it("are refused when torn, edited, or of other layers", () => {
    const edited = bytes.slice();
    edited[bytes.length - 1] ^= 1;
    expect(() => readTeacher(edited, layers)).toThrow(
      "readTeacher: the weights are not those that were written",
    );
    expect(() => readTeacher(bytes.subarray(0, -4), layers)).toThrow(/^readSafetensors: /);
    expect(() => readTeacher(bytes, [2, 8, 3])).toThrow(/^loadStateDict: /);
  });
});

/** Row numbers of the table that seed 0 tests on. */
function testRowsOf(sweep: Sweep): Set<number> {
  const marked = { ...sweep, table: { ...sweep.table, values: sweep.table.values.map((_, i) => i >> 1) } };
  const { x } = sweepData({ ...marked, recipe: { ...sweep.recipe, standardize: false } }, 0, "test").test;
  return new Set(Array.from({ length: x.shape[0] }, (_, i) => x.data[2 * i]));
}
