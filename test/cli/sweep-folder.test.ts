import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { SweepFolder } from "../../src/cli/sweep-folder.ts";
import type { SweepRun } from "../../src/cli/sweep-grid.ts";
import { type Sweep, teacherRun } from "../../src/cli/sweep-run.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { clouds } from "./support/tiny.ts";
import { tinySweep } from "./support/tiny-sweep.ts";

const root = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(root, { recursive: true }));

const sweep = tinySweep();
const run: SweepRun = {
  seed: 7,
  pupil: { student: [4], loss: "softTargetLoss", beta: 0, alpha: 0.7, temperature: 4 },
};
const score = { accuracy: 1 / 3, loss: 0.1, divergence: 5e-324 };

let count = 0;
let path = "";
let complaints: string[] = [];
const open = (of: Sweep = sweep) => new SweepFolder(path, of, (sentence) => complaints.push(sentence));

beforeEach(() => {
  path = join(root, `deep/${count++}`);
  complaints = [];
});

function trained(): Uint8Array {
  const steps = teacherRun(sweep, 3);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe("a sweep's folder", () => {
  it("finds what was kept, to the last bit, and nothing else", () => {
    open().keep(run, 12, score);
    const folder = open();
    expect(folder.score(run)).toEqual(score);
    expect(folder.score({ ...run, seed: 8 })).toBe(null);
    expect(folder.score({ ...run, pupil: { ...run.pupil, alpha: 0.8 } as SweepRun["pupil"] })).toBe(null);
    expect(folder.score({ ...run, pupil: { student: [4], loss: null } })).toBe(null);
    expect(complaints).toEqual([]);
  });

  it("has files that list by seed and place, and say of themselves what they are", () => {
    const folder = open();
    for (const [seed, place] of [
      [10, 2],
      [9, 100],
      [9, 12],
    ])
      folder.keep({ ...run, seed }, place, score);
    folder.keepTeacher(9, Uint8Array.of(1));
    const names = readdirSync(path).sort();
    expect(names.map((name) => name.replace(/[0-9a-f]{16}\./, "#."))).toEqual([
      "seed-009-0100-#.json",
      "seed-009-teacher-#.safetensors",
      "seed-010-0002-#.json",
    ]);
    const content = JSON.parse(readFileSync(join(path, names[2]), "utf8"));
    expect(content).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), ...run, seed: 10, ...score });
    expect(names[2]).toContain(content.hash.slice(0, 16));
  });

  it("finds nothing of another recipe, table or share of validation rows", () => {
    open().keep(run, 0, score);
    const table = clouds(90);
    table.values[0] += 1;
    for (const other of [tinySweep({ batch: 17 }), tinySweep({}, table), { ...sweep, validation: 0.2 }]) {
      const folder = open(other);
      expect(folder.score(run)).toBe(null);
      expect(folder.foreign).toBe(1);
    }
    const same = open({ ...sweep, name: "another name" });
    expect(same.score(run)).toEqual(score);
    expect(same.foreign).toBe(0);
  });

  it("finds what others have kept since, when it looks again", () => {
    const [one, other] = [open(), open()];
    one.keep(run, 0, score);
    expect(other.score(run)).toBe(null);
    other.look();
    expect(other.score(run)).toEqual(score);
  });

  it("takes a torn file for what it is until another has made it again", () => {
    open().keep(run, 0, score);
    const [name] = readdirSync(path);
    writeFileSync(join(path, name), "{");
    const [one, other] = [open(), open()];
    expect([one.score(run), other.score(run)]).toEqual([null, null]);
    other.keep(run, 0, score);
    expect(one.score(run)).toBe(null);
    one.look();
    expect(one.score(run)).toEqual(score);
  });

  it("gives a teacher back as it was", () => {
    const bytes = trained();
    open().keepTeacher(3, bytes);
    expect(open().teacher(3)).toEqual(Buffer.from(bytes));
    expect(open().teacher(4)).toBe(null);
    expect(open(tinySweep({ batch: 17 })).teacher(3)).toBe(null);
  });

  it.each<[string, (file: Buffer) => string | Uint8Array]>([
    ["torn", (file) => file.subarray(0, file.length - 5)],
    ["empty", () => ""],
    ["of another run", (file) => file.toString().replace(/"hash": "./, '"hash": "z')],
    ["without a score", (file) => file.toString().replace('"accuracy"', '"accurate"')],
    ["beyond what a share can be", (file) => file.toString().replace("0.3333333333333333", "1.5")],
    ["null", () => "null"],
  ])("names a file that is %s, once, and has its place taken by what is made again", (_, change) => {
    open().keep(run, 3, score);
    const [name] = readdirSync(path);
    const file = join(path, name);
    const whole = readFileSync(file);
    writeFileSync(file, change(whole));
    const folder = open();
    expect([folder.score(run), folder.score(run)]).toEqual([null, null]);
    expect(complaints).toEqual([`${file} is not what this program wrote; what was in it is made again`]);
    folder.keep(run, 99, score);
    expect(readdirSync(path)).toEqual([name]);
    expect(readFileSync(file)).toEqual(whole);
  });

  it("names a torn teacher too", () => {
    const bytes = trained();
    open().keepTeacher(3, bytes);
    const file = join(path, readdirSync(path)[0]);
    writeFileSync(file, bytes.subarray(0, 100));
    expect(open().teacher(3)).toBe(null);
    expect(complaints).toEqual([`${file} is not what this program wrote; what was in it is made again`]);
  });

  it("leaves files of other names alone, such as those of a write that was killed", () => {
    open();
    const others = [".seed-000-0000-0123456789abcdef.json.aa.tmp", "notes.txt", "seed-1.json"];
    for (const name of others) writeFileSync(join(path, name), "x");
    const folder = open();
    expect(folder.score(run)).toBe(null);
    expect(folder.foreign).toBe(0);
    expect(readdirSync(path).sort()).toEqual(others.sort());
  });

  it("keeps everything in memory where there is none", () => {
    path = "";
    const folder = open();
    folder.keep(run, 0, score);
    expect(folder.score(run)).toEqual(score);
    expect(folder.path).toBe(null);
  });

  it("refuses a file in its place or above it", () => {
    const file = join(root, "file");
    writeFileSync(file, "");
    for (const inTheWay of [file, join(file, "below")]) {
      path = inTheWay;
      expect(open).toThrow(UsageError);
      expect(open).toThrow(`--out: ${inTheWay}: is a file, not a folder`);
    }
  });
});
