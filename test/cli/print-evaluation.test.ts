import { describe, expect, it } from "vitest";
import type { Evaluation } from "../../src/cli/evaluation.ts";
import { colours, plain } from "../../src/cli/paint.ts";
import { printEvaluation } from "../../src/cli/print-evaluation.ts";
import { calibration, confusionMatrix } from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";

/** An evaluation of a model that answers `answers[i]` where the class is `labels[i]`, with 88 % confidence or so. */
function evaluationOf(
  classes: readonly string[],
  labels: readonly number[],
  answers: readonly number[],
): Evaluation {
  const logits = tensor(
    answers.map((answer) => classes.map((_, i) => (i === answer ? 2 + Math.log(classes.length - 1) : 0))),
  );
  return {
    data: { name: "a table", rows: labels.length, labelledRows: labels.length, testRows: false },
    classes,
    models: [
      {
        part: "model",
        file: "m.safetensors",
        name: "50 labels, taught",
        seed: 7,
        layers: [4, 3],
        parameters: 15,
        bytes: 60,
        multiplyAdds: 12,
        assessment: {
          rows: labels.length,
          labelledRows: labels.length,
          accuracy: 0.5,
          loss: 0.25,
          calibration: calibration(logits, labels),
          confusion: confusionMatrix(logits, labels),
          agreement: null,
          divergence: null,
          teacherAccuracy: null,
          accuracyRetained: null,
        },
      },
    ],
    comparison: null,
    notes: [],
    times: { microseconds: { model: 1.25 } },
  };
}

const names = (count: number, name: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => name(i));

/** Lines from the one that begins so to the next empty one. */
function section(text: string, start: string): string[] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith(start));
  expect(from).toBeGreaterThan(-1);
  const rest = lines.slice(from);
  const end = rest.indexOf("");
  return end === -1 ? rest : rest.slice(0, end);
}

describe("a printed evaluation", () => {
  it("has everything in place", () => {
    const evaluation = evaluationOf(["red", "blue", "odd"], [0, 0, 0, 1], [0, 0, 1, 1]);
    expect(printEvaluation(evaluation, plain)).toBe(`a table: 4 rows; 3 classes
model    m.safetensors (50 labels, taught; seed 7)

       accuracy         calibration  agrees with    divergence    accuracy
model         %   loss      error %    teacher %  from teacher  retained %
──────────────────────────────────────────────────────────────────────────
model      50.0  0.250         13.1
──────────────────────────────────────────────────────────────────────────

                                  multiply-  µs per  times the
model  layers  parameters  bytes       adds   row *      model
──────────────────────────────────────────────────────────────
model  4-3             15     60         12     1.3
──────────────────────────────────────────────────────────────
loss: cross-entropy in nats; calibration error: how far confidence is from accuracy, in 15 bins;
divergence: KL(teacher ‖ model) at T 1 in nats; bytes: float32; multiply-adds: for one row
* median of one row at a time; the only figure here that differs from run to run

Classes, as the model names them
                    precision  recall    F1
class  rows  named          %       %     %
───────────────────────────────────────────
red       3      2      100.0    66.7  80.0
blue      1      2       50.0   100.0  66.7
odd       0      0          –       –     –
───────────────────────────────────────────

Confusions: a line for each true class, a column for each answer
      red  blue  odd
────────────────────
red     2     1    ·
blue    ·     1    ·
odd     ·     ·    ·
────────────────────

Is it right as often as it is sure?
                           mean  accuracy
confidence   rows  confidence %         %
─────────────────────────────────────────
0.87 – 0.93     4          88.1      75.0
─────────────────────────────────────────
`);
  });

  it("puts numbers in the place of classes' names that are too long to stand side by side", () => {
    const classes = names(12, (i) => `a class with the number ${i}`);
    const text = printEvaluation(evaluationOf(classes, [3, 4], [3, 5]), plain);
    const matrix = section(text, "Confusions: a line for each true class");
    expect(matrix[1]).toMatch(/^ +1 {2}2 {2}3 {2}4 {2}5 {2}6 {2}7 {2}8 {2}9 {2}10 {2}11 {2}12$/);
    expect(matrix[3 + 4]).toMatch(/^5 a class with the number 4 +(· +){5}1( +·){6}$/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("lists the most frequent confusions where classes are many, and the weakest classes", () => {
    const classes = names(40, (i) => `c${i}`);
    const labels = names(400, () => "").map((_, i) => i % 40);
    // Of class c, which has 10 rows, c / 4 are taken for the next one.
    const answers = labels.map((label, i) =>
      Math.floor(i / 40) < Math.floor(label / 4) ? (label + 1) % 40 : label,
    );
    // And class 37 has rows more, which are known for what they are.
    const more = [37, 37, 37, 37, 37];
    const text = printEvaluation(evaluationOf(classes, [...labels, ...more], [...answers, ...more]), plain);
    const confusions = section(text, "Confusions");
    expect(confusions[0]).toBe("Confusions, the 12 most frequent of 36");
    expect(confusions[4]).toMatch(/^c36 +c37 +9 +90\.0$/);
    expect(confusions.length).toBe(1 + 3 + 12 + 1);
    const listed = section(text, "Classes");
    expect(listed[0]).toBe(
      "Classes, as the model names them, the 12 of 40 with the lowest F1; --json has all",
    );
    expect(listed.length).toBe(1 + 3 + 12 + 1);
    const scores = listed.slice(4, -1).map((line) => Number(line.split(/ +/)[5]));
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    expect(scores[0]).toBe(10);
  });

  it("lists nothing where classes are many and none is confused", () => {
    const classes = names(13, (i) => `c${i}`);
    const text = printEvaluation(evaluationOf(classes, [0, 1], [0, 1]), plain);
    expect(text).not.toContain("Confusions");
  });

  it("lists confusions where counts are too long for a table of them", () => {
    const evaluation = evaluationOf(names(12, String), [0, 1], [0, 2]);
    const [model] = evaluation.models;
    const counts = Array.from({ length: 12 }, () => new Array<number>(12).fill(1_000_000));
    const confusion = { ...model.assessment!.confusion!, counts };
    const models = [{ ...model, assessment: { ...model.assessment!, confusion } }];
    expect(printEvaluation({ ...evaluation, models }, plain)).toContain(
      "\nConfusions, the 12 most frequent of 132\n",
    );
  });

  it("keeps the end of a long path, and the ends of many layers", () => {
    const evaluation = evaluationOf(["a", "b"], [0, 1], [0, 1]);
    const [model] = evaluation.models;
    const long = { ...model, file: `/${"folder/".repeat(20)}m.safetensors`, layers: new Array(30).fill(256) };
    const text = printEvaluation({ ...evaluation, models: [long] }, plain);
    expect(text).toMatch(/^model {4}….*\/folder\/m\.safetensors \(50 labels, taught; seed 7\)$/m);
    expect(text).toMatch(/^model {2}256-256-256-256-25…/m);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("shows nothing that steers a terminal, whatever classes are called, and paints only when it is to", () => {
    const evaluation = evaluationOf(["\u001b[31mred", "blue"], [0, 1], [0, 1]);
    expect(printEvaluation(evaluation, plain)).not.toContain("\u001b");
    expect(printEvaluation(evaluation, colours)).toContain("\u001b[1m");
  });
});
