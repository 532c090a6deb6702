import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateCommand } from "../../src/cli/evaluate-command.ts";
import type { Evaluation } from "../../src/cli/evaluation.ts";
import { readNetwork, saveNetwork } from "../../src/cli/network-file.ts";
import type { Report } from "../../src/cli/report.ts";
import { clouds, csvOf, quick, run } from "./support/tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);

function file(name: string, content: string): string {
  writeFileSync(path(name), content);
  return path(name);
}

const table = clouds(90);
const data = file("clouds.csv", csvOf(table, "kind,x,y\n"));
const [student, teacher, twin] = ["few-taught", "teacher", "few-alone"].map((role) =>
  path(`models/${role}-seed-1.safetensors`),
);
const asked = ["--label", "kind"];
let report: Report;

beforeAll(async () => {
  const args = [...asked, ...quick, "--seeds", "2", "--labels", "9", "--save", path("models"), "--json"];
  const { stdout } = await run(["distill", data, ...args]);
  report = JSON.parse(stdout);
  await run([
    "distill",
    "digits",
    "--seeds",
    "1",
    ...quick.slice(0, -4),
    "--processes",
    "1",
    "--save",
    path("digits"),
  ]);
});

async function evaluated(model: string, on: string, ...more: string[]): Promise<Evaluation> {
  const { stdout, stderr } = await run(["evaluate", model, on, ...asked, "--json", ...more]);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** All but what a clock decides, and what the table is called. */
const measured = ({ times: _, data: { name: __, ...counts }, ...same }: Evaluation) => ({ ...same, counts });

describe("distilgrad evaluate", () => {
  it("finds on the test rows exactly what the run found, for every model", async () => {
    const all = await evaluated(student, data, "--test-rows", "--teacher", teacher, "--twin", twin);
    expect(all.data).toEqual({ name: data, rows: 18, labelledRows: 18, testRows: true });
    const ofSeed = (id: string) => report.perSeed[1].models.find((model) => model.id === id)!.assessment;
    expect(all.models.map(({ part, assessment }) => [part, assessment])).toEqual([
      ["model", ofSeed("fewTaught")],
      ["teacher", ofSeed("teacher")],
      ["twin", ofSeed("fewAlone")],
    ]);
    expect(all.notes).toEqual([]);
    expect(Object.keys(all.times.microseconds)).toEqual(["model", "teacher", "twin"]);
    const [{ assessment: own, ...about }, , other] = all.models;
    expect(about).toEqual({
      part: "model",
      file: student,
      name: "9 labels, taught",
      seed: 1,
      layers: [2, 4, 3],
      parameters: 27,
      bytes: 108,
      multiplyAdds: 20,
    });
    expect(all.comparison!.difference).toBeCloseTo(own!.accuracy! - other.assessment!.accuracy!, 12);
    expect(all.comparison!.rows).toBe(18);
    // The sign tells one from the other only where they differ.
    const unlike = await evaluated(path("models/all-alone-seed-0.safetensors"), data, "--twin", twin);
    const [above, below] = unlike.models.map(({ assessment }) => assessment!.accuracy!);
    expect(above).not.toBe(below);
    expect(unlike.comparison!.difference).toBeCloseTo(above - below, 12);
  });

  it("says the same of columns in another order, and of classes that come in another order or not at all", async () => {
    const plain = measured(await evaluated(student, data, "--teacher", teacher, "--twin", twin));
    const lines = readFileSync(data, "utf8").trim().split("\n");
    const turned = file("turned.csv", lines.map((line) => line.split(",").reverse().join(",")).join("\n"));
    const found = measured(await evaluated(student, turned, "--teacher", teacher, "--twin", twin));
    // The table is another one, so it is not known to be the training's.
    expect({ ...found, notes: plain.notes }).toEqual(plain);
    expect(plain.notes.length).toBe(1);
    const reds = file("reds.csv", lines.filter((line, i) => i === 0 || line.startsWith("red")).join("\n"));
    const { models, classes } = await evaluated(student, reds);
    expect(classes).toEqual(["blue", "green", "red"]);
    const [all] = plain.models;
    expect(models[0].assessment!.confusion!.counts[2]).toEqual(all.assessment!.confusion!.counts[2]);
    expect(models[0].assessment!.rows).toBe(30);
  });

  it("brings a teacher's answers into the order of the student's classes", async () => {
    const { model, description } = await readNetwork(teacher);
    const state = model.stateDict();
    const order = [2, 0, 1];
    const last = model.children().get("logits")!;
    for (const [name, parameter] of last.parameters()) {
      const width = parameter.size / 3;
      const before = Float32Array.from(state.get(`logits.${name}`)!.data);
      parameter.update((values) => {
        for (const [to, from] of order.entries()) {
          for (let i = 0; i < width; i++) values[to * width + i] = before[from * width + i];
        }
      });
    }
    const classes = order.map((i) => description.classes[i]);
    saveNetwork(path("turned.safetensors"), model, { ...description, classes });
    const [plain, turned] = [
      await evaluated(student, data, "--teacher", teacher),
      await evaluated(student, data, "--teacher", path("turned.safetensors")),
    ];
    const assessments = ({ models }: Evaluation) => models.map(({ assessment }) => assessment);
    expect(assessments(turned)).toEqual(assessments(plain));
    saveNetwork(path("other.safetensors"), model, { ...description, classes: ["red", "blue", "violet"] });
    const { stderr } = await run([
      "evaluate",
      student,
      data,
      ...asked,
      "--teacher",
      path("other.safetensors"),
    ]);
    expect(stderr).toBe(
      `distilgrad: ${path("other.safetensors")}: expected the classes of ${student}, "blue", "green" and "red", got "red", "blue" and "violet"\n`,
    );
  });

  it("takes a table without a header as it stands, wherever the class is", async () => {
    const plain = measured(await evaluated(student, data));
    const rows = readFileSync(data, "utf8").trim().split("\n").slice(1);
    const first = file("bare.csv", rows.join("\n"));
    const last = file(
      "bare-last.csv",
      rows.map((row) => [...row.split(",").slice(1), row.split(",")[0]].join(",")).join("\n"),
    );
    for (const [on, label] of [
      [first, "first"],
      [last, "last"],
    ]) {
      const found = measured(await evaluated(student, on, "--label", label));
      expect({ ...found, notes: plain.notes }).toEqual(plain);
    }
  });

  it("compares answers with a teacher's where no row has a class", async () => {
    const rows = readFileSync(data, "utf8").replace(/^(red|green|blue)/gm, "");
    const bare = file("unlabelled.csv", rows);
    const { models, data: counts } = await evaluated(student, bare, "--teacher", teacher);
    expect(counts).toMatchObject({ rows: 90, labelledRows: 0 });
    const [own] = (await evaluated(student, data, "--teacher", teacher)).models;
    expect(models.map(({ assessment }) => assessment)).toEqual([
      {
        rows: 90,
        labelledRows: 0,
        accuracy: null,
        loss: null,
        calibration: null,
        confusion: null,
        agreement: own.assessment!.agreement,
        divergence: own.assessment!.divergence,
        teacherAccuracy: null,
        accuracyRetained: null,
      },
      null,
    ]);
    const { stdout, code } = await run(["evaluate", student, bare, ...asked, "--teacher", teacher]);
    expect(code).toBe(0);
    expect(stdout).toContain("90 rows, 90 of them without a class; 3 classes\n");
  });

  it("notes rows that were learned from, and models of another run or seed", async () => {
    const other = path("models/teacher-seed-0.safetensors");
    const { notes } = await evaluated(
      student,
      data,
      "--teacher",
      other,
      "--twin",
      path("models/few-alone-seed-0.safetensors"),
    );
    expect(notes).toEqual([
      "this is the table of the training, and 72 of its 90 rows were learned from, which flatters; --test-rows takes the other 18",
      "model and teacher are not of one run and seed: the model may have learned from another",
      "model and twin are not of one run and seed: they may differ in more than the teacher",
    ]);
  });

  it("prints tables of at most 100 columns, with the verdict and the notes below", async () => {
    const { stdout, code } = await run([
      "evaluate",
      student,
      data,
      ...asked,
      "--teacher",
      teacher,
      "--twin",
      twin,
    ]);
    expect(code).toBe(0);
    for (const line of stdout.split("\n")) {
      if (!line.includes(folder)) expect(line.length).toBeLessThanOrEqual(100);
    }
    expect(stdout).toMatch(/^ +blue +green +red$/m);
    expect(stdout).toMatch(/^model {4}2-4-3 +27 +108 +20 +\d+\.\d$/m);
    expect(stdout).toMatch(/^teacher {2}2-8-8-3 +123 +492 +104 +\d+\.\d +4\.6×$/m);
    expect(stdout.replaceAll("\n", " ")).toMatch(
      /(On these|No difference that) 90 rows .* another seed may end otherwise\. Note: this is the table of the training/,
    );
  });

  it("knows the tables that come with the program, and gives the digits their attribution", async () => {
    const args = ["evaluate", path("digits/all-taught-seed-0.safetensors"), "digits", "--test-rows"];
    const { stdout } = await run(args);
    expect(stdout).toMatch(/^digits: 359 test rows, which no model of its run saw; 10 classes\n/);
    expect(stdout).toContain("\nDigits: Optical Recognition of Handwritten Digits");
    const asData = JSON.parse((await run([...args, "--json"])).stdout);
    expect(Object.keys(asData)).toEqual([
      "data",
      "classes",
      "models",
      "comparison",
      "notes",
      "attribution",
      "times",
    ]);
    expect(asData.comparison).toBe(null);
  });

  it("names its options in the help", async () => {
    const { stdout } = await run(["evaluate", "--help"]);
    expect(stdout).toContain("Usage: distilgrad evaluate model.safetensors data.csv [options]\n");
    for (const name of Object.keys(evaluateCommand.options)) expect(stdout).toContain(`--${name}`);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

describe("distilgrad evaluate refuses", () => {
  const refused = async (args: readonly string[], message: string): Promise<void> => {
    expect(await run(["evaluate", ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr: `distilgrad: ${message}\n`,
    });
  };

  it("model and table in the wrong order, and one of both alone", async () => {
    await refused(
      [data, student],
      `evaluate: expected the model first and the table second, got them the other way round: evaluate ${student} ${data}`,
    );
    await refused([student], "evaluate: expected data.csv, got nothing; see distilgrad evaluate --help");
  });

  it("files that are not there, and a table in the place of a model", async () => {
    await refused([path("no.safetensors"), data], `${path("no.safetensors")}: no such file`);
    await refused([student, path("no.csv")], `${path("no.csv")}: no such file`);
    await refused([student, data, "--teacher", path("no")], `${path("no")}: no such file`);
    await refused([folder, data], `${folder}: is a folder, not a file`);
    await refused(
      [data, data],
      `${data}: is no safetensors file; distilgrad distill --save writes models as such files`,
    );
  });

  it("a table without rows, or without the column of the classes", async () => {
    const empty = file("empty.csv", "kind,x,y\n");
    await refused([student, empty, "--header", "yes"], `${empty}: expected at least one row, got none`);
    const bare = file("no-label.csv", "x,y\n1,2\n3,4\n");
    await refused(
      [student, bare],
      `${bare}: expected 2 features and a column of classes, as ${student} has it, got 1 feature and one; is the column of the classes there? (--label)`,
    );
    await refused(
      [student, bare, ...asked],
      `${bare}: --label must be first, last, an index from 0 to 1 or one of the columns "x", "y", got "kind"`,
    );
  });

  it("another number of features, and other names", async () => {
    await refused(
      [student, "digits"],
      `digits: expected 2 features and a column of classes, as ${student} has it, got 64 features and one`,
    );
    const one = file("one.csv", "kind,x,z\nred,1,2\nblue,1,3\n");
    await refused(
      [student, one, ...asked],
      `${one}: lacks the feature "y" of ${student} and has "z" instead; name the columns alike, or leave out the header`,
    );
    const both = file("both.csv", "kind,a,b\nred,1,2\nblue,1,3\n");
    await refused(
      [student, both, ...asked],
      `${both}: lacks the features "x" and "y" of ${student} and has "a" and "b" instead; name the columns alike, or leave out the header`,
    );
  });

  it("a class that the model does not know, and rows without any", async () => {
    const violet = file("violet.csv", "kind,x,y\nred,1,2\nviolet,1,3\n");
    await refused(
      [student, violet, ...asked],
      `${violet}: ${student} knows the classes "blue", "green" and "red", and not "violet"; is it the right column? (--label)`,
    );
    const bare = file("bare.csv", "kind,x,y\n,1,2\n,1,3\n");
    await refused(
      [student, bare, ...asked],
      `${bare}: no row has a class, so nothing is right or wrong; name a --teacher to compare answers with`,
    );
    await refused(
      [student, bare, ...asked, "--teacher", teacher, "--twin", twin],
      `${bare}: no row has a class, so nothing is right or wrong; leave out --twin`,
    );
  });

  it("test rows of another table, and a teacher that learned from them", async () => {
    const other = file("other.csv", csvOf(clouds(60), "kind,x,y\n"));
    await refused(
      [student, other, ...asked, "--test-rows"],
      `--test-rows: ${other} is not the table that ${student} was trained on, so all its rows may be new; leave --test-rows out`,
    );
    const seed0 = path("models/teacher-seed-0.safetensors");
    await refused(
      [student, data, ...asked, "--test-rows", "--teacher", seed0],
      `--test-rows: ${seed0} learned from some of the rows that ${student} was tested on; name one of the same run and seed`,
    );
  });
});
