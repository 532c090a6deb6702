import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { builtInNames, builtInTable } from "../../src/cli/built-in-tables.ts";
import { distill } from "../../src/cli/distill-command.ts";
import { evaluateCommand } from "../../src/cli/evaluate-command.ts";
import { mergeCommand } from "../../src/cli/merge-command.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { clouds, csvOf, quick, run } from "./support/tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const read = (content: unknown, ...args: string[]) =>
  readArguments(distill, ["--config", file("config.json", content), ...args], new Set(["shard"]));

describe("a configuration file", () => {
  it("holds options by name, as the command line would", () => {
    const { values, given, operands } = read({
      data: "x.csv",
      teacher: [16, 8],
      student: [4],
      temperature: 2.5,
      label: "kind",
      json: true,
      quiet: false,
      labels: null,
      terms: { soft: { loss: "softTargetLoss", options: { temperature: 2 } } },
    });
    expect(operands).toEqual(["x.csv"]);
    expect(values).toMatchObject({
      teacher: [16, 8],
      student: [4],
      temperature: 2.5,
      label: "kind",
      json: true,
      quiet: false,
      labels: null,
      alpha: 0.7,
      terms: { soft: { loss: "softTargetLoss", options: { temperature: 2 } } },
    });
    expect([...given].sort()).toEqual([
      "config",
      "json",
      "label",
      "student",
      "teacher",
      "temperature",
      "terms",
    ]);
  });

  it("gives way to the command line", () => {
    const { values, operands } = read(
      { data: "x.csv", temperature: 2, alpha: 0.5 },
      "y.csv",
      "--alpha",
      "0.1",
    );
    expect(operands).toEqual(["y.csv"]);
    expect(values).toMatchObject({ temperature: 2, alpha: 0.1 });
  });

  it("may hold options of other commands", () => {
    expect(read({ shard: "0/3", data: "x.csv" }).values.alpha).toBe(0.7);
  });

  it("may begin with a byte order mark, as editors on Windows write one", () => {
    expect(read('\ufeff{ "data": "x.csv" }').operands).toEqual(["x.csv"]);
  });

  it("may leave the table to the command line", () => {
    expect(read({ data: null }, "y.csv").operands).toEqual(["y.csv"]);
  });

  it("has entries for one command alone, which go before the common ones", () => {
    const content = {
      data: "x.csv",
      teacher: [16],
      distill: { teacher: [8], seeds: 2, data: "y.csv" },
      evaluate: { teacher: "large.safetensors" },
      label: { out: "answers" },
    };
    const path = file("shared.json", content);
    const elsewhere = new Set(["evaluate", "distill", "teacher", "label"]);
    const own = readArguments(distill, ["--config", path], elsewhere);
    expect(own.operands).toEqual(["y.csv"]);
    expect(own.values).toMatchObject({ teacher: [8], seeds: 2 });
    const { operands, values } = readArguments(
      evaluateCommand,
      ["small.safetensors", "--config", path],
      new Set(["distill", "label"]),
    );
    // The table stands where the command wants it, behind the model.
    expect(operands).toEqual(["small.safetensors", "x.csv"]);
    expect(values.teacher).toBe("large.safetensors");
  });

  it("gives no table to a command that takes none", () => {
    const path = file("table.json", { data: "x.csv", out: "all.softtargets" });
    const { operands, values } = readArguments(mergeCommand, ["parts", "--config", path]);
    expect([operands, values.out]).toEqual([["parts"], "all.softtargets"]);
    expect(() => readArguments(mergeCommand, ["--config", path])).toThrow(
      "merge: expected folder, got nothing",
    );
  });

  it("runs a command", async () => {
    const data = file("data.csv", csvOf(clouds(60)));
    const settings = { data, label: "first", teacher: [8], student: [4], "student-steps": 20, seeds: 2 };
    const path = file("run.json", { ...settings, "teacher-epochs": 2, processes: 1, json: true });
    const { code, stdout } = await run(["distill", "--config", path]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).settings).toMatchObject({ seeds: 2, student: { hidden: [4], steps: 20 } });
  });

  const path = join(folder, "config.json");
  it.each<[unknown, string]>([
    [{ temprature: 2 }, `distill: ${path}: unknown option "temprature"; did you mean temperature?`],
    [
      { zzzzzzzzzzz: 2 },
      `distill: ${path}: unknown option "zzzzzzzzzzz"; possible are label, separator, header,`,
    ],
    [{ config: "x.json" }, `distill: ${path}: unknown option "config"; possible are`],
    [{ temperature: -1 }, `distill: ${path}: --temperature must be a number from 1e-8 to 1e8, got "-1"`],
    [{ teacher: [[1]] }, `distill: ${path}: --teacher must be the widths of hidden layers`],
    [
      { data: ["a.csv", "b.csv"] },
      `distill: ${path}: data must be the name of a table, got ["a.csv","b.csv"]`,
    ],
    [{ json: "yes" }, `distill: ${path}: json must be true or false, got "yes"`],
    [{ temperature: true }, `distill: ${path}: --temperature must be a number from 1e-8 to 1e8, got "true"`],
    [[1], `${path}: expected one JSON object of options, such as { "temperature": 2 }`],
    ["{", `${path}: is not JSON: `],
  ])("is refused where it says %j", (content, message) => {
    expect(() => read(content)).toThrow(UsageError);
    expect(() => read(content)).toThrow(message);
  });

  it("is refused where there is none", () => {
    const missing = join(folder, "missing.json");
    expect(() => readArguments(distill, ["--config", missing])).toThrow(`${missing}: no such file`);
    expect(() => readArguments(distill, ["--config", folder])).toThrow(`${folder}: is a folder, not a file`);
  });
});

describe("a table that comes with the program", () => {
  it.each(builtInNames)("is there: %s", (name) => {
    const { table } = builtInTable(name)!;
    expect(table.values.length).toBe(table.rows * table.features);
    expect(table.labels.length).toBe(table.rows);
    expect(Math.max(...table.labels) + 1).toBe(table.classNames.length);
    expect(table.featureNames.length).toBe(table.features);
  });

  it("stands where a file would", async () => {
    const { code, stdout } = await run(["distill", "moons", ...quick]);
    expect(code).toBe(0);
    expect(stdout).toContain("moons: 1,000 rows, 2 features, 2 classes (0: 500, 1: 500)");
  });

  it("takes no options about files", async () => {
    expect(await run(["distill", "moons", "--label", "first"])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "distilgrad: distill: --label is about files, and moons comes with the program; write ./moons for a file of that name\n",
    });
  });
});
