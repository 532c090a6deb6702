/** The built program, as a process among others. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSeeds } from "../../src/cli/processes.ts";
import type { SeedResult } from "../../src/cli/run-seed.ts";
import { saveTeacher } from "./support/teacher-file.ts";
import { clouds, csvOf, quick, tinyJob } from "./support/tiny.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
const data = join(folder, "clouds.csv");
const forever = [main, "distill", data, "--label", "first", "--teacher-epochs", "1000000", "--seeds", "2"];

beforeAll(() => {
  writeFileSync(data, csvOf(clouds(90)));
});
afterAll(() => rmSync(folder, { recursive: true }));

const program = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });

const numbers = (results: readonly SeedResult[]) =>
  results.map(({ seed, models }) => ({ seed, models: models.map(({ microseconds: _, ...rest }) => rest) }));

/** The processes whose parent is `pid`, as Linux lists them. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

const heading = `${data}, 90 rows: training a teacher and 3 students, for each of 2 seeds, in 2 processes\n`;

/** The program in the middle of a training that would take hours, in this many processes. */
async function training(processes: number) {
  const child = spawn(process.execPath, [...forever, "--processes", String(processes)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, stderr })),
  );
  while (stderr === "") await pause(20);
  await pause(300);
  const workers = childrenOf(child.pid!);
  expect(workers.length).toBe(processes === 1 ? 0 : processes);
  return { child, ended, workers };
}

async function isGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 5000; waited += 50) {
    try {
      process.kill(pid, 0);
      if (/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return true;
    } catch {
      return true;
    }
    await pause(50);
  }
  return false;
}

// Only there are a process's children listed in files.
const onLinux = it.skipIf(process.platform !== "linux");

describe("the program", () => {
  it("ends with 0, 1 or 2, with data on stdout and complaints on stderr", () => {
    const help = program();
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toMatch(/^distilgrad: /);
    const wrong = program("demo", "--sedes", "3");
    expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
      2,
      "",
      "distilgrad: demo: unknown option --sedes; did you mean --seeds?\n",
    ]);
  });

  it("prints the same numbers from one process and from two, and through a pipe neither colours nor bar", () => {
    const args = ["distill", data, "--label", "first", ...quick.slice(0, -1)];
    const [one, two] = ["1", "2"].map((processes) => {
      const { status, stdout, stderr } = program(...args, processes, "--json");
      expect([status, stderr.includes("\u001b")]).toEqual([0, false]);
      const { times, ...same } = JSON.parse(stdout);
      expect(times.processes).toBe(Number(processes));
      return JSON.stringify(same);
    });
    expect(two).toBe(one);
  });

  it("saves the same models from one process and from two, and says of one what the run said of it", () => {
    const args = ["distill", data, "--label", "first", ...quick.slice(0, -1)];
    const [one, two] = ["1", "2"].map((processes) => {
      const models = join(folder, `models-${processes}`);
      const { status, stdout } = program(...args, processes, "--save", models, "--json", "--quiet");
      expect(status).toBe(0);
      return { models, report: JSON.parse(stdout) };
    });
    const names = readdirSync(one.models);
    expect(names.length).toBe(3 * 4);
    expect(readdirSync(two.models)).toEqual(names);
    for (const name of names) {
      expect(readFileSync(join(two.models, name)).equals(readFileSync(join(one.models, name)))).toBe(true);
    }
    const student = join(two.models, "all-taught-seed-2.safetensors");
    const { status, stdout, stderr } = program(
      ...["evaluate", student, data, "--label", "first", "--test-rows", "--json"],
    );
    expect([status, stderr]).toEqual([0, ""]);
    const { accuracy } = two.report.perSeed[2].models.find(
      (model: { id: string }) => model.id === "allTaught",
    );
    expect(JSON.parse(stdout).models[0].assessment.accuracy).toBe(accuracy);
  });

  it("reads standard input", () => {
    const args = [main, "distill", "-", "--label", "first", ...quick, "--seeds", "1", "--quiet"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      input: csvOf(clouds(30)),
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("standard input: 30 rows");
  });

  it("does not complain when nobody reads its output any more", () => {
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", `sleep 0.5 | { "$0" "$1" distill --help; echo "code $?" >&2; } | true`, process.execPath, main],
      { encoding: "utf8" },
    );
    expect([stdout, stderr]).toEqual(["", "code 0\n"]);
  });

  it("stores a teacher's answers in three processes, which merge to the bytes of one", async () => {
    const teacher = join(folder, "teacher.safetensors");
    saveTeacher(teacher);
    const label = [main, "label", teacher, data, "--label", "first", "--out"];
    const parts = join(folder, "parts");
    const ended = ["0", "1", "2"].map((index) => {
      const env = { ...process.env, JOB_COMPLETION_INDEX: index };
      const child = spawn(process.execPath, [...label, parts, "--shards", "3"], { env, stdio: "ignore" });
      return new Promise((resolve) => child.once("close", resolve));
    });
    expect(await Promise.all(ended)).toEqual([0, 0, 0]);
    const [whole, merged] = ["whole", "merged"].map((name) => join(folder, `${name}.softtargets`));
    expect(program(...label.slice(1), whole).status).toBe(0);
    expect(program("merge", parts, "--out", merged).stdout).toBe(
      `${merged}: answers to 90 rows, 3 classes, float32\n`,
    );
    expect(readFileSync(merged).equals(readFileSync(whole))).toBe(true);
    const { status, stderr } = program(
      ...["distill", data, "--label", "first", "--soft-targets", merged, "--student-steps", "2"],
      ...["--seeds", "2", "--processes", "2"],
    );
    expect({ status, first: stderr.split("\n")[0] }).toEqual({
      status: 0,
      first: `${data}, 90 rows: training 3 students, for each of 2 seeds, in 2 processes`,
    });
  });

  onLinux("ends where the system makes no folder and does not say why", () => {
    const teacher = join(folder, "teacher.safetensors");
    saveTeacher(teacher);
    const parts = join(folder, "parts of one");
    const table = [data, "--label", "first"];
    expect(program("label", teacher, ...table, "--out", parts).status).toBe(0);
    const calls: [string[], string][] = [
      [["distill", ...table, "--save", "/proc/no"], "--save: /proc/no: cannot be used (ENOENT)"],
      [["sweep", ...table, "--out", "/proc/no/deep"], "--out: /proc/no/deep: cannot be used (ENOENT)"],
      [["label", teacher, ...table, "--out", "/proc/no"], "label: /proc/no: there is no such file or folder"],
      [["merge", parts, "--out", "/proc/no/all"], "merge: /proc/no: there is no such file or folder"],
    ];
    for (const [args, message] of calls) {
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
        encoding: "utf8",
        timeout: 20_000,
      });
      expect({ status, stderr }).toEqual({ status: 2, stderr: `distilgrad: ${message}\n` });
    }
  });

  onLinux("ends with 130 when interrupted, and takes its workers along", async () => {
    const { child, ended, workers } = await training(2);
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stderr: heading });
    for (const pid of workers) expect(await isGone(pid)).toBe(true);
  });

  onLinux("is interrupted at once when it trains in its own process", async () => {
    const { child, ended } = await training(1);
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
  });

  onLinux("leaves no worker behind even when it is killed", async () => {
    const { child, workers } = await training(2);
    child.kill("SIGKILL");
    for (const pid of workers) expect(await isGone(pid)).toBe(true);
  });

  onLinux("ends with 1 when a worker dies, naming the seed, and ends the other", async () => {
    const { ended, workers } = await training(2);
    process.kill(workers[1], "SIGKILL");
    expect(await ended).toEqual({
      code: 1,
      stderr: `${heading}distilgrad: seed 1: its worker process ended with signal SIGKILL\n`,
    });
    expect(await isGone(workers[0])).toBe(true);
  });
});

describe("runSeeds", () => {
  const built = pathToFileURL(join(root, "dist/cli/worker.js"));
  const options = { seeds: 3, onProgress: () => {}, worker: built };

  it("gives the same results, in the order of the seeds, for any number of processes", async () => {
    const one = numbers(await runSeeds(tinyJob(), { ...options, processes: 1 }));
    expect(one.map(({ seed }) => seed)).toEqual([0, 1, 2]);
    for (const processes of [2, 8]) {
      expect(numbers(await runSeeds(tinyJob(), { ...options, processes }))).toEqual(one);
    }
  });

  it("names the seed whose training failed, wherever it ran", async () => {
    const job = tinyJob({ student: { hidden: [4], learningRate: 1e38, steps: 30, fewSteps: 10 } });
    for (const processes of [1, 2]) {
      await expect(runSeeds(job, { ...options, processes })).rejects.toThrow(
        /^seed [01]: 9 labels, alone: trainStep: the loss is /,
      );
    }
  });

  it("names the seed whose worker died, and how", async () => {
    const dying = (how: string): URL => {
      const path = join(folder, `dying-${how.length}.mjs`);
      writeFileSync(
        path,
        `process.on("message", ({ kind, item }) => { if (kind === "item" && item === 1) ${how}; });`,
      );
      return pathToFileURL(path);
    };
    await expect(
      runSeeds(tinyJob(), { ...options, processes: 2, worker: dying("process.exit(3)") }),
    ).rejects.toThrow("seed 1: its worker process ended with exit code 3");
    const killed = dying('process.kill(process.pid, "SIGKILL")');
    await expect(runSeeds(tinyJob(), { ...options, processes: 2, worker: killed })).rejects.toThrow(
      "seed 1: its worker process ended with signal SIGKILL",
    );
  });
});
