import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { recipeHash, tableHash } from "../../src/cli/run-hashes.ts";
import { pathsInAFolder } from "../node/files/folder.ts";
import { clouds, csvOf, quick, run, tinyRecipe } from "./support/tiny.ts";

const path = pathsInAFolder();

/** Trains one seed on a table of three clouds and saves its models. */
async function save(folder: string, ...more: string[]) {
  const data = path("clouds.csv");
  writeFileSync(data, csvOf(clouds(60), "kind,x,y\n"));
  const args = ["--label", "kind", ...quick, "--seeds", "1", "--save", path(folder)];
  return await run(["distill", data, ...args, ...more]);
}

describe("distill --save", () => {
  it("saves every model of every seed, in a folder that need not be there, and says so", async () => {
    const { code, stderr } = await save("a/b", "--labels", "9", "--seeds", "2");
    expect(code).toBe(0);
    expect(stderr.endsWith(`\nsaved 10 models in ${path("a/b")}\n`)).toBe(true);
    const roles = ["all-alone", "few-alone", "few-taught", "teacher", "unlabelled-taught"];
    expect(readdirSync(path("a/b")).sort()).toEqual(
      roles.flatMap((role) => [`${role}-seed-0.safetensors`, `${role}-seed-1.safetensors`]),
    );
    await save("c");
    expect(readdirSync(path("c")).sort()).toEqual(
      ["all-alone", "all-taught", "teacher", "unlabelled-taught"].map((role) => `${role}-seed-0.safetensors`),
    );
  });

  it("saves nothing unless it is asked to, and is quiet when it is to be quiet", async () => {
    expect((await save("m", "--quiet")).stderr).toBe("");
    const before = readdirSync(path());
    await run(["distill", path("clouds.csv"), "--label", "kind", ...quick, "--seeds", "1"]);
    expect(readdirSync(path())).toEqual(before);
  });

  it("replaces models of the same run by the same bytes", async () => {
    await save("m");
    const teacher = path("m/teacher-seed-0.safetensors");
    const first = readFileSync(teacher);
    const { code } = await save("m", "--seeds", "2");
    expect(code).toBe(0);
    expect(readFileSync(teacher).equals(first)).toBe(true);
    expect(readdirSync(path("m")).length).toBe(8);
  });

  it("refuses to replace what is of another run, before any training", async () => {
    await save("m");
    const before = readFileSync(path("m/all-alone-seed-0.safetensors"));
    const refusal = {
      code: 2,
      stdout: "",
      stderr: `distilgrad: --save: ${path("m/teacher-seed-0.safetensors")} is there already and is not of this run; name another folder, or delete it\n`,
    };
    expect(await save("m", "--temperature", "2")).toEqual(refusal);
    writeFileSync(path("m/teacher-seed-0.safetensors"), "something else");
    expect(await save("m")).toEqual(refusal);
    expect(readFileSync(path("m/all-alone-seed-0.safetensors")).equals(before)).toBe(true);
  });

  it("saves students alone where the teacher is a file's, beside a teacher that is there already", async () => {
    await save("m");
    const teacher = path("m/teacher-seed-0.safetensors");
    const before = readFileSync(teacher);
    for (const role of ["all-alone", "all-taught", "unlabelled-taught"]) {
      rmSync(path(`m/${role}-seed-0.safetensors`));
    }
    const own = quick.slice(2, 4).concat(quick.slice(6));
    const { code, stderr } = await run([
      ...["distill", path("clouds.csv"), "--label", "kind", ...own, "--seeds", "1"],
      ...["--teacher-file", teacher, "--save", path("m")],
    ]);
    expect(code).toBe(0);
    expect(stderr.endsWith(`\nsaved 3 models in ${path("m")}\n`)).toBe(true);
    expect(readdirSync(path("m")).length).toBe(4);
    expect(readFileSync(teacher).equals(before)).toBe(true);
  });

  it("refuses a file in the place of the folder, and makes none for a job that cannot be done", async () => {
    writeFileSync(path("file"), "");
    for (const place of ["file", "file/below"]) {
      expect(await save(place)).toEqual({
        code: 2,
        stdout: "",
        stderr: `distilgrad: --save: ${path(place)}: is a file, not a folder\n`,
      });
    }
    expect((await save("none", "--labels", "60")).code).toBe(2);
    mkdirSync(path("none")); // which would throw if it were there
  });
});

describe("hashes of a run", () => {
  it("tell tables apart by every number, label and name, and by nothing else", () => {
    const table = clouds(6);
    const values = Float32Array.from(table.values);
    values[11] += 1;
    const labels = Int32Array.from(table.labels);
    labels[5] = -1;
    const others = [
      { ...table, values },
      { ...table, labels },
      { ...table, classNames: ["red", "green", "violet"] },
      { ...table, featureNames: ["x", "z"] },
      { ...table, featureNames: ["x,y", ""] },
    ];
    const hashes = [table, ...others].map(tableHash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(tableHash(clouds(6))).toBe(hashes[0]);
  });

  it("tell recipes apart by every setting", () => {
    expect(recipeHash({ ...tinyRecipe })).toBe(recipeHash(tinyRecipe));
    expect(recipeHash({ ...tinyRecipe, alpha: 0.5 })).not.toBe(recipeHash(tinyRecipe));
  });
});
