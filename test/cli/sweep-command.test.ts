import { mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { splitRows } from "../../src/cli/row-split.ts";
import { sweepCommand } from "../../src/cli/sweep-command.ts";
import { clouds, csvOf, run } from "./support/tiny.ts";
import { quickSweep } from "./support/tiny-sweep.ts";

const root = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(root, { recursive: true }));

const table = clouds(90);
const data = join(root, "clouds.csv");
writeFileSync(data, csvOf(table));
const job = ["sweep", data, "--label", "first", ...quickSweep];

let count = 0;
const newFolder = (): string => join(root, `sweep-${count++}`);
const filesOf = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "latin1")]),
  );

async function json(args: readonly string[], environment: Record<string, string> = {}) {
  const { code, stdout, stderr } = await run([...args, "--json"], { environment });
  expect(code, stderr).toBe(0);
  const { times, ...same } = JSON.parse(stdout);
  return { times, same, stderr };
}

describe("distilgrad sweep", () => {
  it("says what is best by validation rows, and what that is worth on test rows", async () => {
    const { code, stdout, stderr } = await run(job);
    expect(code).toBe(0);
    expect(stdout).toContain(
      "2 seeds, each with a split of its own: 58 rows to train on, 14 to choose by, 18 to test on\n",
    );
    expect(stdout).toMatch(/^Chosen: student (4|3-2), softTargetLoss, alpha 0\.[27], T [14]$/m);
    expect(stdout).toMatch(/^On test rows: (Distillation|No difference)/m);
    expect(stdout).toContain("The choice was made on validation rows: most right answers, ");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const lines = stderr.split("\n");
    expect(lines[0]).toBe(`${data}, 90 rows: training 2 teachers`);
    expect(lines[3]).toBe("training 20 students");
    expect(lines[4]).toMatch(/^seed 0: student 4, alone: \d+\.\d %$/);
    expect(lines[24]).toMatch(/^testing the chosen setting: student /);
    expect(lines[25]).toMatch(/^test, seed 0: student /);
  });

  it("prints one JSON document with all settings in the order of the grid", async () => {
    const { same, times } = await json(job);
    expect(times).toEqual({ processes: 1, seconds: expect.any(Number), found: 0 });
    expect(same.data).toMatchObject({ trainingRows: 58, validationRows: 14, testRows: 18 });
    expect(same.grid).toMatchObject({ students: [[4], [3, 2]], temperatures: [1, 4], betas: [0] });
    expect(same.results.length).toBe(8);
    expect(same.results[1].setting).toEqual({
      student: [4],
      loss: "softTargetLoss",
      beta: 0,
      alpha: 0.2,
      temperature: 4,
    });
    const { accuracies } = same.results[same.chosen].validation;
    for (const { validation } of same.results) {
      const sum = (shares: number[]) => shares.reduce((total, share) => total + Math.round(share * 14), 0);
      expect(sum(validation.accuracies)).toBeLessThanOrEqual(sum(accuracies));
    }
    expect(same.tested.chosen.setting).toEqual(same.results[same.chosen].setting);
    expect(same.tested.default.setting).toMatchObject({ alpha: 0.7, temperature: 4 });
  });

  it("lets no test row have a part in the choice", async () => {
    const other = join(root, "other.csv");
    // Test rows of all seeds, far off and with another label; the rows of a seed that train are as they were.
    const seed = 0;
    const test = new Set(splitRows(table.labels, { test: 0.2, labels: null }, seed).test);
    const values = table.values.map((value, i) => (test.has(i >> 1) ? 50 - value : value));
    const labels = table.labels.map((label, row) => (test.has(row) ? (label + 1) % 3 : label));
    // In this order the labels get the same numbers in both files.
    writeFileSync(other, csvOf({ ...table, values, labels }));
    const args = (path: string) => ["sweep", path, "--label", "first", ...quickSweep, "--seeds", "1"];
    const [one, two] = [await json(args(data)), await json(args(other))];
    expect(two.same.results).toEqual(one.same.results);
    expect(two.same.chosen).toBe(one.same.chosen);
    expect(two.same.tested.chosen).not.toEqual(one.same.tested.chosen);
  });

  it("keeps no test accuracy in its folder", async () => {
    const folder = newFolder();
    const { same } = await json([...job, "--out", folder]);
    const files = filesOf(folder);
    expect(files.size).toBe(20 + 2);
    for (const [name, content] of files) {
      if (!name.endsWith(".json")) continue;
      const { hash: _, ...rest } = JSON.parse(content);
      expect(Object.keys(rest)).toEqual(["seed", "pupil", "accuracy", "loss", "divergence"]);
      expect(Number.isInteger(Math.round(rest.accuracy * 14 * 1e9) / 1e9)).toBe(true);
    }
    expect(same).toEqual((await json(job)).same);
  });

  it("goes on where it was, with the same result, whatever is missing", async () => {
    const folder = newFolder();
    const whole = await json([...job, "--out", folder]);
    const before = filesOf(folder);
    const names = [...before.keys()];
    for (const name of names.filter((_, i) => i % 3 === 0)) unlinkSync(join(folder, name));
    const missing = names.filter((name, i) => i % 3 === 0 && name.endsWith(".json")).length;
    const again = await json([...job, "--out", folder]);
    expect(again.same).toEqual(whole.same);
    expect(again.times.found).toBe(20 - missing);
    expect(again.stderr).toContain(`training ${missing} students; ${20 - missing} of 20 runs are there\n`);
    expect(filesOf(folder)).toEqual(before);
  });

  it("makes a torn file again, and names it", async () => {
    const folder = newFolder();
    const whole = await json([...job, "--out", folder]);
    const name = readdirSync(folder).find((each) => each.startsWith("seed-001-0003-"))!;
    writeFileSync(join(folder, name), "{");
    const again = await json([...job, "--out", folder]);
    expect(again.same).toEqual(whole.same);
    expect(again.stderr.split("\n")[0]).toBe(
      `${join(folder, name)} is not what this program wrote; what was in it is made again`,
    );
    expect(again.times.found).toBe(19);
  });

  it("trains only what a longer list adds, and says what is of other settings", async () => {
    const folder = newFolder();
    await json([...job, "--out", folder]);
    const longer = [...job, "--temperatures", "0.5,1,4", "--seeds", "3"];
    const { times, same } = await json([...longer, "--out", folder]);
    expect(times.found).toBe(20);
    expect(same).toEqual((await json(longer)).same);
    const { stderr, times: shorter } = await json([...job, "--batch", "16", "--out", folder]);
    expect(shorter.found).toBe(0);
    expect(stderr).toContain(
      `${3 * (2 + 12) + 3} files in ${folder} are of other settings, seeds or data, and are left alone\n`,
    );
  });

  it("is shared among parts, of which the last one that is done prints the result", async () => {
    const folder = newFolder();
    const whole = await json(job);
    const parts = [2, 0, 1].map((index) => [...job, "--out", folder, "--shard", `${index}/3`]);
    const first = await run(parts[0]);
    expect(first).toMatchObject({
      code: 0,
      stdout: `14 of 20 runs are missing in ${folder}; the call that finds none missing prints the result\n`,
    });
    expect((await json(parts[1])).same).toEqual({ runs: 20, missing: 7 });
    expect((await json(parts[2])).same).toEqual(whole.same);
    expect((await json([...job, "--out", folder])).times.found).toBe(20);
  });

  it("gives parts whose number divides that of the seeds the seeds of their own, with their teachers", async () => {
    const folder = newFolder();
    await run([...job, "--out", folder, "--shard", "1/2"]);
    expect(new Set(readdirSync(folder).map((name) => name.slice(0, 8)))).toEqual(new Set(["seed-001"]));
  });

  it("takes its part from a launcher's environment, and needs a folder then", async () => {
    const folder = newFolder();
    const environment = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "2" };
    const { same } = await json([...job, "--out", folder], environment);
    expect(same).toEqual({ runs: 20, missing: 10 });
    expect((await run(job, { environment })).stderr).toBe(
      "distilgrad: sweep: Open MPI says 1/2, which needs --out, the folder where all parts meet\n",
    );
    expect((await run([...job, "--shard", "0/1", "--quiet"], { environment })).code).toBe(0);
  });

  it("sees few labels only, when it is to", async () => {
    const { same } = await json([...job, "--labels", "9", "--few-steps", "5"]);
    expect(same.settings).toMatchObject({ labels: 9, student: { fewSteps: 5 } });
    expect(same.alone).not.toEqual((await json(job)).same.alone);
  });

  it("takes its lists from a file, in which students may be lists of lists", async () => {
    const config = join(root, "sweep.json");
    writeFileSync(
      config,
      JSON.stringify({
        data,
        label: "first",
        temperatures: [1, 4],
        alphas: [0.2],
        students: [[4], [3, 2]],
        betas: [0, 0.5],
        losses: ["softTargetLoss", "logitMatchingLoss"],
        temperature: 3,
        seeds: 1,
      }),
    );
    const { same } = await json([
      "sweep",
      "--config",
      config,
      "--teacher",
      "8",
      "--teacher-epochs",
      "1",
      "--student-steps",
      "2",
      "--processes",
      "1",
    ]);
    expect(same.grid).toEqual({
      students: [[4], [3, 2]],
      losses: ["softTargetLoss", "logitMatchingLoss"],
      betas: [0, 0.5],
      alphas: [0.2],
      temperatures: [1, 4],
    });
    expect(same.results.length).toBe(2 * 2 * (2 + 1));
    expect(same.tested.default).toBe(null);
  });

  it("draws bars and colours on a terminal, and says nothing on stderr when it is to be quiet", async () => {
    const rich = await run([...job, "--seeds", "1"], { terminal: true });
    expect(rich.stderr).toMatch(/^\r[█░]{24} /);
    expect(rich.stdout).toContain("\u001b[1mChosen: ");
    expect((await run([...job, "--seeds", "1", "--quiet"], { terminal: true })).stderr).toBe("");
  });

  it("notes what is odd: settings that ignore the teacher, students as large, labels without a class", async () => {
    const { same } = await json([
      ...job,
      "--alphas",
      "1",
      "--students",
      "50",
      "--labels",
      "2",
      "--seeds",
      "1",
    ]);
    expect(same.notes).toEqual([
      "not every class is among the 2 labels (seed 0)",
      "alpha 1 with beta 0 ignores the teacher: such a setting is the student alone",
      "student 50 is not smaller than the teacher: 303 against 123 parameters",
    ]);
  });

  it("names every option in its help, within 100 columns", async () => {
    const { stdout } = await run(["sweep", "--help"]);
    for (const name of Object.keys(sweepCommand.options))
      expect(stdout).toMatch(new RegExp(`^ +--${name} `, "m"));
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each<[string[], string]>([
    [
      ["--temperatures", ""],
      'sweep: --temperatures must be different numbers from 1e-8 to 1e8 such as 1,2,4, got ""',
    ],
    [
      ["--temperatures", "1,0"],
      'sweep: --temperatures must be different numbers from 1e-8 to 1e8 such as 1,2,4, got "1,0"',
    ],
    [
      ["--temperatures", "1,1.0"],
      'sweep: --temperatures must be different numbers from 1e-8 to 1e8 such as 1,2,4, got "1,1.0"',
    ],
    [
      ["--alphas", "0.5,2"],
      'sweep: --alphas must be different numbers from 0 to 1 such as 0.1,0.5, got "0.5,2"',
    ],
    [["--betas=-1"], 'sweep: --betas must be different numbers from 0 to 1e6 such as 0,0.1,1, got "-1"'],
    [
      ["--students", "16;;4"],
      'sweep: --students must be different widths of hidden layers with semicolons between students, such as 16;32;64,32, got "16;;4"',
    ],
    [
      ["--students", "16;16"],
      'sweep: --students must be different widths of hidden layers with semicolons between students, such as 16;32;64,32, got "16;16"',
    ],
    [
      ["--students", "[[16],[]]"],
      'sweep: --students must be different widths of hidden layers with semicolons between students, such as 16;32;64,32, got "[[16],[]]"',
    ],
    [
      ["--losses", "softTargetLoss,hintLoss"],
      'sweep: --losses must be different names out of softTargetLoss, reverseKlLoss, jensenShannonLoss, softCrossEntropyLoss, logitMatchingLoss, standardizedLogitsLoss, pearsonCorrelationLoss, decoupledDistillationLoss, got "softTargetLoss,hintLoss"',
    ],
    [["--validation", "1"], 'sweep: --validation must be a number between 0 and 1, got "1"'],
    [["--temperature", "4"], "sweep: unknown option --temperature; did you mean --temperatures?"],
    [["--few-steps", "5"], "sweep: --few-steps is for students with few labels; give --labels N too"],
    [["--shard", "0/2"], "sweep: --shard needs --out, the folder where all parts meet"],
    [
      ["--shard", "2/2"],
      'sweep: --shard must be I/N with I from 0 to below N, such as 0/3, 1/3 and 2/3, got "2/2"',
    ],
    [
      ["--seeds", "1000", "--betas", "0,1"],
      "sweep: 16 settings and 2 students alone, with 1,000 seeds each, are 18,000 runs, and at most 10,000 are possible; shorten a list",
    ],
    [
      ["--validation", "0.001"],
      "--validation must leave rows on both sides: 0.001 of 72 labelled rows is 0 to choose by and 72 to train on",
    ],
    [["--labels", "58"], "--labels must be below the number of labelled rows to train on, 58, got 58"],
    [
      ["--test", "0.001"],
      "--test must leave rows on both sides: 0.001 of 90 labelled rows is 0 to test on and 90 to train on",
    ],
    [["--out", data], `--out: ${data}: is a file, not a folder`],
  ])("refuses %j before any training", async (args, message) => {
    expect(await run([...job, ...args])).toEqual({ code: 2, stdout: "", stderr: `distilgrad: ${message}\n` });
  });

  it("refuses a loss that cannot compare so few classes", async () => {
    const args = ["sweep", "moons", "--losses", "decoupledDistillationLoss"];
    expect(await run(args)).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "distilgrad: --losses: decoupledDistillationLoss: expected at least three classes, got [1, 2]; of fewer, softTargetLoss says all there is to say\n",
    });
  });
});
