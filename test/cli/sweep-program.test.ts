/** The built program sweeping: killed, interrupted, in several processes. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clouds, csvOf } from "./support/tiny.ts";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "distilgrad-"));
const data = join(root, "clouds.csv");
afterAll(() => rmSync(root, { recursive: true }));

/** 7 settings and a student alone, with 3 seeds each: 24 runs. */
const job = [
  ...[main, "sweep", data, "--label", "first", "--json", "--seeds", "3"],
  ..."--teacher 8,8 --teacher-epochs 3 --student-steps 400 --students 4 --alphas 0.5 --batch 16".split(" "),
  ...["--temperatures", "1,2,3,4,5,6,7"],
];
const RUNS = 24;

const filesOf = (folder: string): Map<string, string> =>
  new Map(
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => !name.startsWith("."))
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "latin1")]),
  );
const resultsIn = (folder: string): string[] =>
  [...filesOf(folder).keys()].filter((name) => name.endsWith(".json"));

function finish(folder: string, processes: number): { readonly result: string; readonly found: number } {
  const args = [...job, "--out", folder, "--processes", String(processes)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  const { times, ...same } = JSON.parse(stdout);
  return { result: JSON.stringify(same), found: times.found };
}

/** Starts the sweep, and ends it by a signal as soon as so many results are there. */
async function endedAt(folder: string, processes: number, results: number, signal: "SIGKILL" | "SIGINT") {
  const args = [...job, "--out", folder, "--processes", String(processes)];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  while (resultsIn(folder).length < results) {
    expect(child.exitCode).toBe(null);
    await pause(5);
  }
  child.kill(signal);
  return await ended;
}

describe("the program, sweeping", () => {
  const undisturbed = join(root, "undisturbed");
  let whole = "";
  beforeAll(() => {
    writeFileSync(data, csvOf(clouds(90)));
    whole = finish(undisturbed, 1).result;
  });

  it.each([1, 2])(
    "ends with the same bytes however often it was killed, in %i processes",
    async (processes) => {
      const folder = join(root, `killed-${processes}`);
      for (const results of [3, 12]) {
        expect(await endedAt(folder, processes, results, "SIGKILL")).toBe(null);
        expect(resultsIn(folder).length).toBeLessThan(RUNS);
      }
      const { result, found } = finish(folder, processes);
      expect(found).toBeGreaterThanOrEqual(12);
      expect(result).toBe(whole);
      expect(filesOf(folder)).toEqual(filesOf(undisturbed));
    },
  );

  it("leaves whole files only when it is interrupted", async () => {
    const folder = join(root, "interrupted");
    expect(await endedAt(folder, 2, 5, "SIGINT")).toBe(130);
    const names = readdirSync(folder);
    expect(names.length).toBeGreaterThanOrEqual(5);
    const complete = filesOf(undisturbed);
    for (const name of names) {
      expect(readFileSync(join(folder, name), "latin1")).toBe(complete.get(name));
    }
    expect(finish(folder, 2).result).toBe(whole);
  });
});
