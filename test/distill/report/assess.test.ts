import { describe, expect, it } from "vitest";
import {
  accuracy,
  agreement,
  assess,
  calibration,
  confusionMatrix,
  Ensemble,
  evaluate,
  heldOutDivergence,
  predictLogits,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { ones, tensor } from "../../../src/factories.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { droppingNetwork, hashOf, network, rowsOf } from "../models.ts";

const [student, teacher] = [network(4, 1), network(16, 3)];
const data = rowsOf(23, 1);
const { x, labels } = data;
const some = labels.map((label, row) => (row % 3 === 0 ? -1 : label));
const logits = predictLogits(student, x);
const answers = predictLogits(teacher, x);

describe("assess", () => {
  it("says of a student with its teacher what each measure says alone", () => {
    const [own, other] = [accuracy(logits, labels), accuracy(answers, labels)];
    expect(assess(student, data, { teacher })).toEqual({
      rows: 23,
      labelledRows: 23,
      ...evaluate(student, data),
      calibration: calibration(logits, labels),
      confusion: confusionMatrix(logits, labels),
      agreement: agreement(logits, answers),
      divergence: heldOutDivergence(logits, answers),
      teacherAccuracy: other,
      accuracyRetained: own / other,
    });
    expect(own).toBeGreaterThan(0);
    expect(other).not.toBe(own);
  });

  it("says nothing of a teacher where there is none", () => {
    expect(assess(student, data)).toEqual({
      ...assess(student, data, { teacher }),
      agreement: null,
      divergence: null,
      teacherAccuracy: null,
      accuracyRetained: null,
    });
  });

  it("measures labels on the rows that have one, and agreement on all", () => {
    const { rows, labelledRows, ...found } = assess(student, { x, labels: some }, { teacher });
    expect([rows, labelledRows]).toEqual([23, 15]);
    const whole = assess(student, data, { teacher });
    expect([found.agreement, found.divergence]).toEqual([whole.agreement, whole.divergence]);
    expect(found.accuracy).toBe(accuracy(logits, some));
    expect(found.loss).toBe(evaluate(student, { x, labels: some }).loss);
    expect(found.teacherAccuracy).toBe(accuracy(answers, some));
    expect(found.calibration).toEqual(calibration(logits, some));
    expect(found.confusion).toEqual(confusionMatrix(logits, some));
  });

  it("says without any label how far student and teacher are apart, and nothing else", () => {
    const expected = {
      rows: 23,
      labelledRows: 0,
      accuracy: null,
      loss: null,
      calibration: null,
      confusion: null,
      agreement: agreement(logits, answers),
      divergence: heldOutDivergence(logits, answers),
      teacherAccuracy: null,
      accuracyRetained: null,
    };
    expect(assess(student, { x }, { teacher })).toEqual(expected);
    expect(assess(student, { x, labels: labels.map(() => -1) }, { teacher })).toEqual(expected);
  });

  it("takes the teacher's answers from the dataset where no teacher is given", () => {
    const stored = { ...data, teacherLogits: answers };
    expect(assess(student, stored)).toEqual(assess(student, data, { teacher }));
    expect(assess(student, stored, { teacher: student }).divergence).toBe(0);
    expect(assess(student, { x, teacherLogits: answers }).agreement).toBe(agreement(logits, answers));
  });

  it("retains no share of a teacher that is always wrong", () => {
    const right = (): Tensor => tensor([[0, 1]]);
    const wrong = (): Tensor => tensor([[1, 0]]);
    const row = { x: ones([1, 1]), labels: Int32Array.of(1) };
    expect(assess(right, row, { teacher: wrong })).toMatchObject({
      accuracy: 1,
      teacherAccuracy: 0,
      accuracyRetained: null,
    });
    expect(assess(wrong, row, { teacher: right }).accuracyRetained).toBe(0);
  });

  it("is plain data that JSON holds as it is, and the same for every batch size", () => {
    const found = assess(student, { x, labels: some }, { teacher });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    for (const batchSize of [1, 4, 23]) {
      expect(assess(student, { x, labels: some }, { teacher, batchSize })).toEqual(found);
    }
  });

  it("leaves both models as they are", () => {
    const [one, two] = [1, 2].map((seed) => droppingNetwork(4, seed, new RandomStream(seed, "dropout")));
    const before = [hashOf(one), hashOf(two)];
    assess(one, data, { teacher: two });
    expect([hashOf(one), hashOf(two)]).toEqual(before);
    expect([one.training, two.training]).toEqual([true, true]);
  });

  it("refuses data with nothing to compare with", () => {
    for (const dataset of [{ x }, { x, labels: labels.map(() => -1) }]) {
      expect(() => assess(student, dataset)).toThrow(
        new DistilgradError("labels", "assess: expected labels or a teacher to compare with, got neither"),
      );
    }
  });

  it("refuses models that cannot be asked, other options, and what is no dataset", () => {
    expect(() => assess(1 as unknown as typeof student, data)).toThrow(
      new DistilgradError(
        "model",
        "assess: student must be a module, an object with a forward method, or a function from x to logits, got 1",
      ),
    );
    expect(() => assess(student, data, { teacher: 1 as unknown as typeof student })).toThrow(
      new DistilgradError(
        "model",
        "assess: teacher must be a module, an object with a forward method, or a function from x to logits, got 1",
      ),
    );
    expect(() => assess(student, data, { batch: 1 } as object)).toThrow(
      new DistilgradError("value", 'assess: unknown option "batch"; possible are teacher, batchSize'),
    );
    expect(() => assess(student, { x, labels: labels.slice(1) })).toThrow(
      new DistilgradError("labels", "assess: expected one label for each of 23 rows, got 22"),
    );
  });

  it("refuses answers that hold at another temperature only", () => {
    const softened = new Ensemble([teacher]).at(4);
    for (const [role, act] of [
      ["student", () => assess(softened, data)],
      ["teacher", () => assess(student, data, { teacher: softened })],
    ] as const) {
      expect(act).toThrow(
        new DistilgradError(
          "model",
          `assess: the ${role}'s answers hold at temperature 4, expected 1; an Ensemble gives them with at(1)`,
        ),
      );
    }
    const { teacherAccuracy } = assess(student, data, { teacher: softened.at(1) });
    expect(teacherAccuracy).toBe(assess(student, data, { teacher }).teacherAccuracy);
  });

  it("refuses a teacher in the place of its options", () => {
    expect(() => assess(student, data, teacher as never)).toThrow(
      new DistilgradError("value", "assess: expected { teacher, batchSize }, got a Sequential"),
    );
  });

  it("refuses a model that diverged, and a teacher of other classes", () => {
    const diverged = ({ shape: [rows] }: Tensor): Tensor =>
      tensor(Array.from({ length: rows }, (_, row) => [0, 1, row === 7 ? Number.POSITIVE_INFINITY : 2]));
    expect(() => assess(diverged, { x }, { teacher })).toThrow(
      new DistilgradError(
        "nonfinite",
        "assess: expected finite logits of the student, got Infinity at row 7, class 2",
      ),
    );
    expect(() => assess(student, { x }, { teacher: diverged })).toThrow(
      new DistilgradError(
        "nonfinite",
        "assess: expected finite logits of the teacher, got Infinity at row 7, class 2",
      ),
    );
    expect(() => assess(student, data, { teacher: ({ shape: [rows] }) => ones([rows, 2]) })).toThrow(
      new DistilgradError(
        "shape",
        "heldOutDivergence: studentLogits and teacherLogits must have the same shape, got [23, 3] and [23, 2]",
      ),
    );
  });
});
