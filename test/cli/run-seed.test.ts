import { describe, expect, it } from "vitest";
import { planOfJob } from "../../src/cli/check-job.ts";
import { drive } from "../../src/cli/drive.ts";
import { median } from "../../src/cli/prediction-time.ts";
import type { Job, ModelId } from "../../src/cli/recipe.ts";
import { studentPlans } from "../../src/cli/recipe.ts";
import { runSeed, type SeedProgress, type SeedResult } from "../../src/cli/run-seed.ts";
import { seedData } from "../../src/cli/seed-data.ts";
import type { TermTable } from "../../src/cli/term-settings.ts";
import { studentTraining, teacherTraining, train } from "../../src/cli/trainings.ts";
import { assess, Ensemble, predictLogits } from "../../src/distill/index.ts";
import { stateHash } from "../../src/nn/index.ts";
import { clouds, tinyJob } from "./support/tiny.ts";

function finish(job: Job, seed: number): { result: SeedResult; progress: SeedProgress[] } {
  const progress: SeedProgress[] = [];
  const steps = runSeed(job, seed);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { result: value, progress };
    progress.push(value);
  }
}

const accuracyOf = ({ models }: SeedResult, id: ModelId): number | undefined =>
  models.find((model) => model.id === id)?.accuracy;

describe("runSeed", () => {
  it("trains a teacher and four students when labels are few, and three when they are not", () => {
    const few = finish(tinyJob(), 0).result.models.map(({ id }) => id);
    expect(few).toEqual(["teacher", "fewAlone", "fewTaught", "unlabelled", "allAlone"]);
    const all = finish(tinyJob({ labels: null }), 0).result.models.map(({ id }) => id);
    expect(all).toEqual(["teacher", "allAlone", "allTaught", "unlabelled"]);
  });

  it("makes twins of taught and alone: with alpha 1, which ignores the teacher, they are the same to the last bit", () => {
    for (const labels of [9, null]) {
      const [alone, taught] =
        labels === null ? (["allAlone", "allTaught"] as const) : (["fewAlone", "fewTaught"] as const);
      for (const seed of [0, 1]) {
        const { models } = finish(tinyJob({ alpha: 1, labels }), seed).result;
        const plain = (id: ModelId) => {
          const { accuracy, agreement } = models.find((model) => model.id === id)!;
          return { accuracy, agreement };
        };
        expect(plain(taught)).toEqual(plain(alone));
      }
    }
  });

  it("lets the student without labels see no label: other labels of rows to train on change it only through the teacher", () => {
    const job = tinyJob({ teacher: { count: 1, hidden: [8], dropout: 0, epochs: 1, learningRate: 0 } });
    const test = new Set(testRowsOf(job));
    const labels = job.table.labels.map((label, row) => (test.has(row) ? label : (label + 1) % 3));
    const other = { ...job, table: { ...job.table, labels } };
    expect(accuracyOf(finish(other, 0).result, "unlabelled")).toBe(
      accuracyOf(finish(job, 0).result, "unlabelled"),
    );
    expect(accuracyOf(finish(other, 0).result, "allAlone")).not.toBe(
      accuracyOf(finish(job, 0).result, "allAlone"),
    );
  });

  describe("with several networks that teach as one", () => {
    const teacher = { ...tinyJob().recipe.teacher, count: 3 };
    const models = (job: Job) => finish(job, 0).result.models.map(({ microseconds: _, ...rest }) => rest);

    it("tests their mean, and teaches its softened answers", () => {
      const job = tinyJob({ teacher, labels: null });
      const data = seedData(job, 0);
      const members = [0, 1, 2].map((member) => {
        const training = teacherTraining(job, data, 0, member);
        for (const _ of train(training));
        return training.model;
      });
      expect(new Set(members.map((member) => stateHash(member.stateDict()))).size).toBe(3);
      const [tested, alone, taught] = models(job);
      expect(tested.assessment).toEqual(assess(new Ensemble(members), data.test));
      // The first of them is the teacher that there is without the others, and its student another.
      const single = models(tinyJob({ labels: null }));
      expect(alone).toEqual({ ...single[1], assessment: alone.assessment, agreement: alone.agreement });
      const everything = {
        ...data.everything,
        teacherLogits: predictLogits(new Ensemble(members, { temperature: 4 }), data.everything.x),
      };
      const plan = studentPlans(job.recipe)[1];
      const student = studentTraining(
        job,
        plan,
        new Ensemble(members, { temperature: 4 }),
        everything,
        data,
        0,
      );
      for (const _ of train(student));
      const { accuracy, loss } = assess(student.model, data.test);
      expect(taught.assessment).toMatchObject({ accuracy, loss });
      expect(taught.history).not.toEqual(single[2].history);
    });

    it("takes the mean of their logits for terms, whose temperatures may differ, and asks their layers", () => {
      const terms: TermTable = {
        soft: { loss: "softTargetLoss", options: { temperature: 2 } },
        hint: { loss: "hintLoss", layers: [["relu1", "members.2.relu2"]] },
      };
      const job = tinyJob({ teacher, labels: null, terms });
      expect(Object.keys(models(job)[2].history[0].losses)).toEqual(["total", "soft", "hint"]);
      expect(() => planOfJob(tinyJob({ terms, labels: null }))).toThrow(
        'the teacher has no layer "members.2.relu2"; it has "hidden1", "relu1"',
      );
      expect(`${planOfJob(job)}`).toContain("against teacher members.2.relu2 [1, 8]");
    });
  });

  it("gives the same numbers each time, and others for another seed", () => {
    const numbers = (seed: number) =>
      finish(tinyJob(), seed).result.models.map(({ microseconds: _, ...rest }) => rest);
    expect(numbers(3)).toEqual(numbers(3));
    expect(numbers(3)).not.toEqual(numbers(4));
  });

  it("reports progress that never goes back and ends at 1, with the accuracy of each finished model", () => {
    const { progress, result } = finish(tinyJob(), 0);
    for (let i = 1; i < progress.length; i++) {
      expect(progress[i].done).toBeGreaterThanOrEqual(progress[i - 1].done);
    }
    expect(progress[progress.length - 1].done).toBe(1);
    // The shares of this job's models, added up in float64, come to less.
    const student = { ...tinyJob().recipe.student, steps: 33 };
    expect(finish(tinyJob({ labels: null, student }), 0).progress.at(-1)!.done).toBe(1);
    const finished = progress.filter(({ accuracy }) => accuracy !== undefined);
    expect(finished.map(({ model, accuracy }) => [model, accuracy])).toEqual(
      result.models.map(({ id, accuracy }) => [id, accuracy]),
    );
  });

  it("says of which model a failure is", () => {
    const job = tinyJob({ student: { hidden: [4], learningRate: 1e38, steps: 30, fewSteps: 10 } });
    expect(() => finish(job, 0)).toThrow(
      /^9 labels, alone: trainStep: the loss is \S+ at step \d+; the first value/,
    );
  });

  it("measures the scale on the rows to train on, those without a label included, and puts them behind the others", () => {
    const { everything, labelled, test } = seedData(tinyJob({}, clouds(90, 10)), 0);
    expect([...everything.labels!.subarray(labelled)]).toEqual(new Array(9).fill(-1));
    expect(everything.labels!.subarray(0, labelled)).not.toContain(-1);
    expect(test.labels).not.toContain(-1);
    let sum = 0;
    for (let i = 0; i < everything.x.size; i += 2) sum += everything.x.data[i];
    expect(Math.abs(sum / everything.labels!.length)).toBeLessThan(1e-6);
  });

  it("can be left in the middle", async () => {
    let asked = 0;
    const job = tinyJob({ student: { hidden: [4], learningRate: 0.01, steps: 1e6, fewSteps: 1e6 } });
    const stopped = () => ++asked === 2;
    expect(await drive(runSeed(job, 0), () => {}, stopped)).toBe(null);
    expect(asked).toBe(2);
  });
});

function testRowsOf(job: Job): number[] {
  const marked = { ...job, table: { ...job.table, values: job.table.values.map((_, i) => i >> 1) } };
  const { x } = seedData({ ...marked, recipe: { ...job.recipe, standardize: false } }, 0).test;
  return Array.from({ length: x.shape[0] }, (_, i) => x.data[2 * i]);
}

describe("median", () => {
  it("is the middle value, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
