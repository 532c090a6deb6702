import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { clouds, csvOf, quick, run } from "./support/tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const plain = file("plain.csv", csvOf(clouds(90)));
const job = ["distill", plain, "--label", "first", ...quick];

describe("distilgrad distill", () => {
  it("compares all labels alone, taught, and no labels, on a table of one's own", async () => {
    const { code, stdout, stderr } = await run(job);
    expect(code).toBe(0);
    expect(stdout).toContain(`90 rows, 2 features, 3 classes (blue: 30, green: 30, red: 30)`);
    const names = stdout.split("\n").flatMap((line) => /^(.+?) {2,}\d+\.\d ± /.exec(line)?.[1] ?? []);
    expect(names).toEqual(["teacher", "72 labels, alone", "72 labels, taught", "no labels, taught"]);
    expect(stdout).toMatch(
      /^(Distillation helped|Distillation hurt|No difference that 3 seeds can show): with 72 labels/m,
    );
    expect(stderr.split("\n").length).toBe(1 + 3 * 4 + 1);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("lets several networks teach as one, which is as large as all of them", async () => {
    const { stdout } = await run([...job, "--teachers", "3", "--seeds", "1"]);
    expect(stdout).toContain("teacher: the mean of 3 networks 2-8-8-3, dropout 0.2; students 2-4-3\n");
    expect(stdout).toMatch(/^teacher +\d+\.\d +369 +1,476 /m);
    expect(stdout).toMatch(/^72 labels, taught .* 13\.7×$/m);
    const { code, stderr } = await run([...job, "--teachers", "3", "--save", folder]);
    expect([code, stderr]).toEqual([
      2,
      "distilgrad: distill: --save keeps one network a file, and --teachers makes a teacher of several; leave one out\n",
    ]);
  });

  it("compares a few labels too when asked to", async () => {
    const { stdout } = await run([...job, "--labels", "9", "--seeds", "1"]);
    expect(stdout).toMatch(
      /^9 labels, alone .*\n9 labels, taught .*\nno labels, taught .*\n72 labels, alone /m,
    );
    expect(stdout).toContain("\nOne seed says nothing about chance: with 9 labels");
  });

  it("reads standard input, quoted class names, and rows without a class, which it never tests", async () => {
    const table = { ...clouds(90, 10), classNames: ['"the ""red"""', '"green, light"', '"blue\nish"'] };
    const { code, stdout, stderr } = await run(
      ["distill", "-", "--label", "kind", "--header", "yes", ...quick],
      {
        input: csvOf(table, "kind,x,y\n"),
      },
    );
    expect({ code, error: stderr.includes("distilgrad:") }).toEqual({ code: 0, error: false });
    expect(stdout.split("\n").slice(0, 4)).toEqual([
      'standard input: 90 rows, 2 features, 3 classes (blue�ish: 27, green, light: 27, the "red": 27)',
      "9 rows have no label: they are never tested, and only the student without labels learns from them",
      "3 seeds, each with a split of its own: 65 labelled rows to train on, 16 to test on",
      "teacher 2-8-8-3, dropout 0.2; students 2-4-3",
    ]);
  });

  it("prints one JSON document, the same each time but for the times", async () => {
    const parse = async () => {
      const { stdout } = await run([...job, "--json"]);
      const { times, ...same } = JSON.parse(stdout);
      expect(Object.keys(times)).toEqual(["processes", "seconds", "microseconds"]);
      return JSON.stringify(same);
    };
    const first = await parse();
    expect(await parse()).toBe(first);
    const { data, settings, models, verdict } = JSON.parse(first);
    expect(data).toMatchObject({ rows: 90, unlabelledRows: 0, trainingRows: 72, testRows: 18, features: 2 });
    expect(settings).toMatchObject({
      seeds: 3,
      temperature: 4,
      alpha: 0.7,
      weights: { hard: 0.7, soft: 0.3 },
    });
    expect(models[2]).toMatchObject({
      id: "allTaught",
      labels: 72,
      parameters: 27,
      bytes: 108,
      multiplyAdds: 20,
    });
    expect(models[2].accuracies.length).toBe(3);
    expect(models[2].gain.interval.length).toBe(2);
    expect(verdict.length).toBe(2);
  });

  it("says nothing on stderr when it is to be quiet, on a terminal too", async () => {
    for (const terminal of [false, true]) {
      expect((await run([...job, "--quiet", "--seeds", "1"], { terminal })).stderr).toBe("");
    }
  });

  it("draws a bar and colours on a terminal, and neither where NO_COLOR is set", async () => {
    const rich = await run([...job, "--seeds", "2"], { terminal: true });
    expect(rich.stderr).toMatch(/^\r[█░]{24} /);
    expect(rich.stderr.endsWith("\r\u001b[K")).toBe(true);
    expect(rich.stdout).toContain("\u001b[1m");
    const sober = await run([...job, "--seeds", "2"], { terminal: true, environment: { NO_COLOR: "1" } });
    expect(sober.stderr + sober.stdout).not.toContain("\u001b");
    expect(sober.stderr).toMatch(/^seed 1: no labels, taught: \d+\.\d %$/m);
  });

  it("fails with code 1 and one sentence when something breaks that no argument can put right", async () => {
    const broken = () => Promise.reject(new Error("read EIO"));
    expect(await run(["distill", "-"], { readInput: broken })).toEqual({
      code: 1,
      stdout: "",
      stderr: "distilgrad: read EIO\n",
    });
  });

  it.each<[string, string | Uint8Array, string[], string]>([
    ["ragged", "a,1,2\nb,3\n", [], "line 2: expected 3 fields as on line 1, got 2"],
    ["words", "a,1,x\nb,3,4\n", [], 'line 1, column "column 3": expected a number, got "x"'],
    [
      "half-header",
      "a,1,x\nb,3,4\n",
      ["--header", "auto"],
      'line 1: expected a header or a row, got "x" like a name and "1" like a value; pass --header yes or --header no',
    ],
    [
      "one-column",
      "a;1\nb;2\n",
      [],
      "expected at least one column besides the label, got none; is it another --separator?",
    ],
    ["empty", "", [], "expected at least one row, got none"],
    ["binary", Uint8Array.of(0xff, 0xfe, 0x00), [], "is not UTF-8 text"],
    ["one-class", "a,1\na,2\n", [], 'the label column must hold at least 2 classes, got only "a"'],
    ["no-class", ",1\n,2\n", [], "the label column must hold at least 2 classes, got no label at all"],
    [
      "regression",
      "1.5,1\n2.5,2\n3.5,3\n",
      [],
      "the label column holds 3 different values in 3 rows; is it the right column? (--label)",
    ],
    [
      "label",
      "kind,x,y\na,1,2\nb,3,4\n",
      ["--label", "Kind"],
      '--label must be first, last, an index from 0 to 2 or one of the columns "kind", "x", "y", got "Kind"',
    ],
    [
      "index",
      "a,1,2\nb,3,4\n",
      ["--label", "3"],
      '--label must be first, last, an index from 0 to 2 or one of the columns "column 1", "column 2", "column 3", got "3"',
    ],
  ])("refuses a table before any training: %s", async (name, content, args, message) => {
    const path = file(`${name}.csv`, content);
    const header = name === "words" ? ["--header", "no"] : [];
    expect(await run(["distill", path, "--label", "first", ...header, ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr: `distilgrad: ${path}: ${message}\n`,
    });
  });

  it("refuses a file that does not exist, and a folder", async () => {
    const path = join(folder, "none.csv");
    expect((await run(["distill", path])).stderr).toBe(`distilgrad: ${path}: no such file\n`);
    const other = await run(["distill", folder]);
    expect(other).toEqual({
      code: 2,
      stdout: "",
      stderr: `distilgrad: ${folder}: is a folder, not a file\n`,
    });
  });

  it("refuses settings that leave too few rows, before any training", async () => {
    expect((await run([...job, "--test", "0.001"])).stderr).toBe(
      "distilgrad: --test must leave rows on both sides: 0.001 of 90 labelled rows is 0 to test on and 90 to train on\n",
    );
    expect((await run([...job, "--labels", "72"])).stderr).toBe(
      "distilgrad: --labels must be below the number of labelled rows to train on, 72, got 72\n",
    );
  });

  it("notes classes that a seed cannot learn, an alpha that ignores the teacher, and a student that is no smaller", async () => {
    const rare = file("rare.csv", `${csvOf(clouds(30))}rare,1,1\n`);
    const { stdout } = await run([
      ...["distill", rare, "--label", "first", ...quick, "--alpha", "1", "--student", "64", "--labels", "4"],
      ...["--seeds", "12", "--student-steps", "2", "--teacher-epochs", "1", "--json"],
    ]);
    const { notes, models } = JSON.parse(stdout);
    expect(notes).toEqual([
      expect.stringMatching(/^class "rare" is not among the rows to train on \(seeds? [\d, and]+\)$/),
      "not every class is among the 4 labels (seeds 0, 1, 2, 3, 4, 5, 6, 7 and 4 more)",
      "alpha is 1, which ignores the teacher: with labels, taught and alone are the same",
      "the student is not smaller than the teacher: 452 against 132 parameters",
      expect.stringMatching(
        /^4 labels, taught: trained alone, the student names \d+\.0 % of its training rows rightly/,
      ),
    ]);
    expect(models[2].gain).toMatchObject({ mean: 0, interval: [0, 0], verdict: "no difference" });
  });

  it("takes a column's name before an index", async () => {
    const path = file("numbered.csv", csvOf(clouds(60), "0,1,2\n"));
    // Columns named 2, 1, 0: the class is in the column named "2", which has index 0.
    const turned = file("turned.csv", csvOf(clouds(60), "2,1,0\n"));
    for (const [where, label] of [
      [path, "0"],
      [turned, "2"],
    ]) {
      const { stdout } = await run([
        "distill",
        where,
        "--header",
        "yes",
        "--label",
        label,
        ...quick,
        "--seeds",
        "1",
      ]);
      expect(stdout).toContain("3 classes (blue: 20, green: 20, red: 20)");
    }
  });
});
