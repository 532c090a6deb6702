import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { readNetwork } from "../../src/cli/network-file.ts";
import { modeName, softTargetMode } from "../../src/cli/soft-target-mode.ts";
import { predictLogits } from "../../src/distill/evaluate.ts";
import { tensor } from "../../src/factories.ts";
import { loadSoftTargets } from "../../src/node/soft-target-files.ts";
import { sha256 } from "../../src/sha256.ts";
import { pathsInAFolder } from "../node/files/folder.ts";
import { saveTeacher } from "./support/teacher-file.ts";
import { clouds, csvOf, run } from "./support/tiny.ts";

const path = pathsInAFolder();
const table = clouds(30, 10);
const shardName = (index: number, count = 3): string => `shard-0000${index}-of-0000${count}.softtargets`;
const partIn = (folder: string, index: number, count = 3): string =>
  path(`${folder}/${shardName(index, count)}`);

beforeEach(() => {
  saveTeacher(path("teacher.safetensors"));
  writeFileSync(path("clouds.csv"), csvOf(table, "kind,x,y\n"));
});

const label = (out: string, more: readonly string[] = [], environment: Record<string, string> = {}) =>
  run(
    [
      ...["label", path("teacher.safetensors"), path("clouds.csv"), "--label", "kind"],
      ...["--out", path(out), ...more],
    ],
    { environment },
  );
const merge = (folder: string, out: string) => run(["merge", path(folder), "--out", path(out)]);
const refused = (message: string) => ({ code: 2, stdout: "", stderr: `distilgrad: ${message}\n` });
const said = (stdout: string) => ({ code: 0, stdout: `${stdout}\n`, stderr: "" });

describe("distilgrad label", () => {
  it("stores what the teacher answers to each row on its own scale, found by the row as the table has it", async () => {
    expect(await label("all.softtargets")).toEqual(said(`${path("all.softtargets")}: rows 0 to 29 of 30`));
    const targets = loadSoftTargets(path("all.softtargets"));
    const { model, standardizer } = await readNetwork(path("teacher.safetensors"));
    const x = tensor(table.values, { shape: [30, 2] });
    expect(targets.forward(x).toArray()).toEqual(predictLogits(model, standardizer!.apply(x)).toArray());
    expect(targets.description).toMatchObject({
      teacher: `name:file sha256:${sha256(readFileSync(path("teacher.safetensors")))}`,
      mode: "float32",
      classNames: ["blue", "green", "red"],
      rows: 30,
      start: 0,
      end: 30,
      temperature: null,
    });
  });

  it("labels a table that has no class, or only some, and brings columns into the teacher's order by name", async () => {
    const rows = [...Array(30).keys()];
    const turned = rows.map((row) => `${table.values[2 * row + 1]},${table.values[2 * row]},\n`).join("");
    writeFileSync(path("turned.csv"), `y,x,kind\n${turned}`);
    await label("all.softtargets");
    const args = ["label", path("teacher.safetensors"), path("turned.csv"), "--out"];
    expect((await run([...args, path("turned.softtargets")])).code).toBe(0);
    const [straight, other] = ["all", "turned"].map((name) => loadSoftTargets(path(`${name}.softtargets`)));
    const x = tensor(
      rows.flatMap((row) => [table.values[2 * row + 1], table.values[2 * row]]),
      { shape: [30, 2] },
    );
    expect(other.forward(x).toArray()).toEqual(
      straight.forward(tensor(table.values, { shape: [30, 2] })).toArray(),
    );
  });

  it("shares the rows among parts, which merge to the bytes of all rows at once", async () => {
    for (const mode of ["float32", "float16", "top-1", "top-2:nothing"]) {
      await label("all.softtargets", ["--mode", mode]);
      for (const index of [2, 0, 1]) {
        expect(await label("parts/here", ["--mode", mode, "--shard", `${index}/3`])).toEqual(
          said(
            `${partIn("parts/here", index)}: rows ${10 * index} to ${10 * index + 9} of 30 (part ${index}/3)`,
          ),
        );
      }
      expect(await merge("parts/here", "merged/all.softtargets")).toEqual(
        said(`${path("merged/all.softtargets")}: answers to 30 rows, 3 classes, ${mode}`),
      );
      const [one, merged] = ["all.softtargets", "merged/all.softtargets"].map((each) =>
        readFileSync(path(each)),
      );
      expect(merged.equals(one)).toBe(true);
      for (const each of ["all.softtargets", "parts", "merged"]) rmSync(path(each), { recursive: true });
    }
  });

  it("makes one part of all rows where a folder is named and nobody says otherwise", async () => {
    expect((await label("parts")).stdout).toBe(`${partIn("parts", 0, 1)}: rows 0 to 29 of 30\n`);
    await label("all.softtargets", [], { SLURM_PROCID: "0", SLURM_NTASKS: "1" });
    await merge("parts", "merged.softtargets");
    expect(readFileSync(path("merged.softtargets")).equals(readFileSync(path("all.softtargets")))).toBe(true);
  });

  it("asks the launcher which part it is, and says which one that is", async () => {
    const job = { JOB_COMPLETION_INDEX: "1" };
    expect(await label("parts", ["--shards", "3"], job)).toEqual(
      said(`${partIn("parts", 1)}: rows 10 to 19 of 30 (part 1/3, as Kubernetes says)`),
    );
    expect((await label("parts", ["--shard", "2/3"], job)).stdout).toContain("(part 2/3)\n");
    expect(readdirSync(path("parts"))).toEqual([shardName(1), shardName(2)]);
  });

  it("leaves what is there as it is, and says so", async () => {
    for (const [out, file, more] of [
      ["all.softtargets", "all.softtargets", []],
      ["parts", `parts/${shardName(2)}`, ["--shard", "2/3"]],
    ] as const) {
      const first = await label(out, more);
      const before = readFileSync(path(file));
      expect(await label(out, more)).toEqual(said(`${first.stdout.trimEnd()}, there already`));
      expect(readFileSync(path(file)).equals(before)).toBe(true);
    }
  });

  it("prints what was done as JSON", async () => {
    const { stdout } = await label("parts", ["--shard", "1/3", "--mode", "top-2", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      path: partIn("parts", 1),
      recorded: true,
      mode: "top-2",
      rows: 30,
      start: 10,
      end: 20,
      part: { index: 1, count: 3, source: null },
      teacher: `file sha256:${sha256(readFileSync(path("teacher.safetensors")))}`,
      classes: ["blue", "green", "red"],
    });
  });

  it("refuses a part that is torn or of another recording, by its name, and leaves it", async () => {
    const part = partIn("parts", 0);
    await label("parts", ["--shard", "0/3"]);
    const other = (field: string) =>
      refused(`label: ${part}: the file is of another recording: its ${field} differs; delete it`);
    expect(await label("parts", ["--shard", "0/3", "--mode", "float16"])).toEqual(other("mode"));
    saveTeacher(path("teacher.safetensors"), 2);
    expect(await label("parts", ["--shard", "0/3"])).toEqual(other("teacher"));
    saveTeacher(path("teacher.safetensors"));
    writeFileSync(path("clouds.csv"), csvOf(clouds(31), "kind,x,y\n"));
    expect(await label("parts", ["--shard", "0/3"])).toEqual(other("data"));
    writeFileSync(path("clouds.csv"), csvOf(table, "kind,x,y\n"));
    writeFileSync(part, readFileSync(part).subarray(0, -1));
    expect(await label("parts", ["--shard", "0/3"])).toEqual(
      refused(
        `label: ${part}: the SHA-256 at the end is not that of the bytes before it; they are torn or were edited`,
      ),
    );
  });

  it.each<[string, string, string[], string]>([
    [
      "a part past the last",
      "parts",
      ["--shard", "3/3"],
      'label: --shard must be I/N with I from 0 to below N, such as 0/3, 1/3 and 2/3, got "3/3"',
    ],
    [
      "a part of none",
      "parts",
      ["--shard", "1/0"],
      'label: --shard must be I/N with I from 0 to below N, such as 0/3, 1/3 and 2/3, got "1/0"',
    ],
    [
      "a mode that is none",
      "parts",
      ["--mode", "top-0"],
      'label: --mode must be float32, float16, top-K or top-K:nothing with a whole K of at least 1, such as top-5, got "top-0"',
    ],
    [
      "more parts than rows",
      "parts",
      ["--shard", "0/31"],
      "label: expected at least one row, got none in shard 0 of 31 of 30 rows",
    ],
  ])("refuses %s", async (_, out, more, message) => {
    expect(await label(out, more)).toEqual(refused(message));
  });

  it("refuses a top that is all classes, a part in a file, and to be told no place", async () => {
    expect(await label("parts", ["--mode", "top-3"])).toEqual(
      refused(
        `label: --mode top-3 must keep fewer than the 3 classes of ${path("teacher.safetensors")}; to keep all, take float32`,
      ),
    );
    const file = path("all.softtargets");
    expect(await label("all.softtargets", ["--shard", "0/3"])).toEqual(
      refused(`label: --out must be a folder for part 0/3, got the file ${file}`),
    );
    expect(await label("all.softtargets", ["--shards", "3"], { JOB_COMPLETION_INDEX: "2" })).toEqual(
      refused(`label: --out must be a folder for part 2/3, as Kubernetes says, got the file ${file}`),
    );
    expect(await run(["label", path("teacher.safetensors"), path("clouds.csv")])).toEqual(
      refused("label: --out is missing: a folder such as answers, or a file such as answers.softtargets"),
    );
    expect(existsSync(path("parts"))).toBe(false);
  });

  it("refuses a file in the place of a folder, and a folder in the place of a file", async () => {
    writeFileSync(path("taken"), "");
    expect(await label("taken")).toEqual(refused(`label: ${path("taken")}: is a file, not a folder`));
    mkdirSync(path("folder.softtargets"));
    expect(await label("folder.softtargets")).toEqual(
      refused(`label: ${path("folder.softtargets")}: is a folder, not a file`),
    );
  });

  it("refuses model and table in the wrong order", async () => {
    const [data, teacher] = [path("clouds.csv"), path("teacher.safetensors")];
    expect(await run(["label", data, teacher, "--out", path("parts")])).toEqual(
      refused(
        `label: expected the model first and the table second, got them the other way round: label ${teacher} ${data}`,
      ),
    );
  });

  it("refuses a model that is none, and a table with other classes or features", async () => {
    const teacher = path("teacher.safetensors");
    const data = path("clouds.csv");
    writeFileSync(data, csvOf({ ...table, classNames: ["red", "green", "violet"] }, "kind,x,y\n"));
    expect(await label("parts")).toEqual(
      refused(
        `${data}: ${teacher} knows the classes "blue", "green" and "red", and not "violet"; is it the right column? (--label)`,
      ),
    );
    writeFileSync(data, csvOf(table, "kind,x,z\n"));
    expect((await label("parts")).stderr).toContain(`${data}: lacks the feature "y" of ${teacher}`);
    rmSync(teacher);
    expect(await label("parts")).toEqual(refused(`${teacher}: no such file`));
    expect(existsSync(path("parts"))).toBe(false);
  });
});

describe("modes", () => {
  it("have one word each", () => {
    for (const word of ["float32", "float16", "top-1", "top-12:nothing"]) {
      expect(modeName(softTargetMode.read(word)!)).toBe(word);
    }
    expect(softTargetMode.read("top-5:spread")).toEqual({ top: 5, rest: "spread" });
    for (const word of ["float64", "top", "top-", "top-1.5", "top-05", "top-5:", "top-5:all", "TOP-5", ""]) {
      expect(softTargetMode.read(word)).toBe(undefined);
    }
  });
});

describe("distilgrad merge", () => {
  beforeEach(async () => {
    for (const index of [0, 1, 2]) await label("parts", ["--shard", `${index}/3`]);
  });

  it("refuses a folder that is not there, that is a file, or that holds no part", async () => {
    expect(await merge("none", "out")).toEqual(
      refused(`merge: ${path("none")}: there is no such file or folder`),
    );
    expect(await merge("clouds.csv", "out")).toEqual(
      refused(`merge: ${path("clouds.csv")}: is a file, not a folder`),
    );
    mkdirSync(path("empty"));
    expect(await merge("empty", "out")).toEqual(
      refused(`merge: expected shards in ${path("empty")}, got none`),
    );
    expect(await run(["merge", path("parts")])).toEqual(
      refused("merge: --out is missing: the file that gets all answers, such as answers.softtargets"),
    );
    expect(existsSync(path("out"))).toBe(false);
  });

  it("refuses parts that are missing, naming the next", async () => {
    rmSync(partIn("parts", 1));
    expect(await merge("parts", "out")).toEqual(
      refused(`merge: expected each of 30 rows once, got rows 10 to 19 missing, before ${shardName(2)}`),
    );
  });

  it("refuses parts of two runs, naming both", async () => {
    await label("parts", ["--shard", "0/2"]);
    expect((await merge("parts", "out")).stderr).toMatch(
      /got rows 0 to (9|14) there twice, in shard-00000-of-0000[23]\.softtargets and shard-00000-of-0000[23]\.softtargets$/m,
    );
    rmSync(partIn("parts", 0, 2));
    await label("other", ["--shard", "1/3", "--mode", "float16"]);
    copyFileSync(partIn("other", 1), partIn("parts", 1));
    expect(await merge("parts", "out")).toEqual(
      refused(
        `merge: expected shards of one recording, got mode "float32" in ${shardName(0)} and "float16" in ${shardName(1)}`,
      ),
    );
    expect(existsSync(path("out"))).toBe(false);
  });

  it("refuses a torn part by its name, and a folder in the place of the file", async () => {
    const part = partIn("parts", 2);
    expect(await merge("parts", "parts")).toEqual(
      refused(`merge: ${path("parts")}: is a folder, not a file`),
    );
    writeFileSync(part, readFileSync(part).subarray(0, 100));
    expect(await merge("parts", "out")).toEqual(
      refused(
        `merge: ${part}: the SHA-256 at the end is not that of the bytes before it; they are torn or were edited`,
      ),
    );
  });
});
