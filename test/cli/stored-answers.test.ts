import { readdirSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { readNetwork } from "../../src/cli/network-file.ts";
import { Ensemble, recordSoftTargets } from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";
import { Linear } from "../../src/nn/linear.ts";
import { saveSoftTargets } from "../../src/node/soft-target-files.ts";
import { RandomStream } from "../../src/random.ts";
import { hashOf } from "../distill/models.ts";
import { pathsInAFolder } from "../node/files/folder.ts";
import { saveTeacher } from "./support/teacher-file.ts";
import { clouds, csvOf, quick, run } from "./support/tiny.ts";

const path = pathsInAFolder();
// Some rows without a label: of these, too, the teacher has answers.
const table = clouds(90, 10);
const teacher = "teacher.safetensors";
const terms = JSON.stringify({
  hard: { loss: "crossEntropy" },
  soft: { loss: "reverseKlLoss", options: { temperature: 2 } },
});

beforeEach(() => {
  saveTeacher(path(teacher));
  writeFileSync(path("clouds.csv"), csvOf(table, "kind,x,y\n"));
});

/** As short as `quick`, without what is about a teacher. */
const brief = [
  "--label",
  "kind",
  "--student",
  "4",
  "--student-steps",
  "30",
  "--seeds",
  "2",
  "--processes",
  "1",
];
const distill = (...args: string[]) => run(["distill", path("clouds.csv"), ...brief, ...args]);
const label = (out: string, ...args: string[]) =>
  run(["label", path(teacher), path("clouds.csv"), "--label", "kind", "--out", path(out), ...args]);
const refused = (message: string) => ({ code: 2, stdout: "", stderr: `distilgrad: ${message}\n` });

/** The weights of all models that were saved in a folder, by their files. */
async function weights(folder: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const file of readdirSync(path(folder)).sort()) {
    all.set(file, hashOf((await readNetwork(path(`${folder}/${file}`))).model));
  }
  return all;
}

describe("distill --soft-targets", () => {
  it.each<[string, string[]]>([
    ["temperature and alpha", []],
    ["few labels", ["--labels", "9"]],
    ["terms", ["--terms", terms]],
  ])("teaches by %s to the last bit what the saved teacher would have taught", async (_, more) => {
    await label("all.softtargets");
    const stored = await distill(
      "--soft-targets",
      path("all.softtargets"),
      "--save",
      path("a"),
      ...more,
      "--json",
    );
    const asked = await distill("--teacher-file", path(teacher), "--save", path("b"), ...more, "--json");
    const [one, other] = [stored, asked].map(({ stdout }) => {
      const { times: _, settings, ...same } = JSON.parse(stdout);
      const { source, ...whose } = settings.answers;
      return { ...same, settings: { ...settings, answers: whose } };
    });
    expect(one).toEqual(other);
    expect(one.settings.answers.teacher).toMatch(/^file sha256:[0-9a-f]{64}$/);
    const students = await weights("a");
    expect(students.size).toBe(2 * (more[0] === "--labels" ? 4 : 3));
    expect(new Set(students.values()).size).toBe(students.size);
    expect(students).toEqual(await weights("b"));
  });

  it("teaches what the teacher itself did in its own run, on the rows of which it was trained", async () => {
    const own = [path("clouds.csv"), "--label", "kind", ...quick, "--seeds", "1", "--json"];
    const trained = await run(["distill", ...own, "--save", path("run")]);
    const saved = path("run/teacher-seed-0.safetensors");
    await run([
      ...["label", saved, path("clouds.csv"), "--label", "kind"],
      "--out",
      path("parts"),
      "--shard",
      "0/2",
    ]);
    await run([
      ...["label", saved, path("clouds.csv"), "--label", "kind"],
      "--out",
      path("parts"),
      "--shard",
      "1/2",
    ]);
    await run(["merge", path("parts"), "--out", path("merged")]);
    const again = await distill(
      "--seeds",
      "1",
      "--soft-targets",
      path("merged"),
      "--save",
      path("again"),
      "--json",
    );
    const [first, second] = [trained, again].map(({ stdout }) => JSON.parse(stdout).perSeed[0].models);
    expect(second.slice(1)).toEqual(first.slice(1));
    const { history: _, ...figures } = first[0];
    expect(second[0]).toEqual({ ...figures, history: [] });
    const before = await weights("run");
    before.delete("teacher-seed-0.safetensors");
    expect(await weights("again")).toEqual(before);
  });

  it("says where the answers are from and what they are worth, and nothing of the teacher's size", async () => {
    await label("all.softtargets", "--mode", "top-1");
    const args = ["--soft-targets", path("all.softtargets"), "--save", path("m")];
    const { code, stdout, stderr } = await distill(...args);
    expect(code).toBe(0);
    expect(stderr.split("\n")[0]).toBe(
      `${path("clouds.csv")}, 90 rows: training 3 students, for each of 2 seeds`,
    );
    expect(stderr).toContain(`saved 6 models in ${path("m")}\n`);
    expect(stdout.replaceAll("\n", " ")).toContain(" teacher: answers from ");
    expect(stdout).toMatch(/^teacher {2,}\d+\.\d ± \d+\.\d$/m);
    expect(stdout).toMatch(/^65 labels, taught .* 108 +\d+\.\d$/m);
    expect(stdout.replaceAll("\n", " ")).toContain(
      "Note: the teacher was trained before: if it learned from rows that are test rows here, its accuracy and that of taught students are flattered ",
    );
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    const report = JSON.parse((await distill(...args, "--json")).stdout);
    expect(report.settings).toMatchObject({ teacher: null, answers: { source: path("all.softtargets") } });
    const unknown = { layers: null, parameters: null, bytes: null, multiplyAdds: null, compression: null };
    expect(report.models[0]).toMatchObject({ id: "teacher", labels: 0, ...unknown });
    expect(report.models[1]).toMatchObject({ parameters: 27, compression: null });
    expect(Object.keys(report.times.microseconds)).toEqual(["allAlone", "allTaught", "unlabelled"]);
  });

  it("notes nothing of sizes, as large as a student may be", async () => {
    const wide = ["--student", "300,300", "--student-steps", "1", "--seeds", "1", "--json"];
    const { stdout } = await distill("--teacher-file", path(teacher), ...wide);
    const { notes, models } = JSON.parse(stdout);
    expect(models[1].parameters).toBeGreaterThan(3 * 256 + 257 * 256 + 257 * 3);
    expect(notes.filter((note: string) => /smaller than the teacher/.test(note))).toEqual([]);
  });

  it("does not save over what another teacher taught", async () => {
    await distill("--teacher-file", path(teacher), "--save", path("m"));
    expect((await distill("--teacher-file", path(teacher), "--save", path("m"))).code).toBe(0);
    saveTeacher(path(teacher), 2);
    expect((await distill("--teacher-file", path(teacher), "--save", path("m"))).stderr).toBe(
      `distilgrad: --save: ${path("m/all-alone-seed-0.safetensors")} is there already and is not of this run; name another folder, or delete it\n`,
    );
  });

  it("refuses what is no file of answers, and answers to another table, to a part of it, or about other classes", async () => {
    const file = path("all.softtargets");
    expect(await distill("--soft-targets", file)).toEqual(
      refused(`--soft-targets: ${file}: there is no such file or folder`),
    );
    writeFileSync(file, "kind,x,y\n");
    expect(await distill("--soft-targets", file)).toEqual(
      refused(
        `--soft-targets: ${file}: expected soft targets, which begin with "dg-soft", got 9 other bytes`,
      ),
    );
    await label("parts", "--shard", "0/3");
    const part = path("parts/shard-00000-of-00003.softtargets");
    const data = path("clouds.csv");
    expect(await distill("--soft-targets", part)).toEqual(
      refused(
        `${part}: does not hold the answers to ${data}: expected samples that were recorded, got 60 of 90 rows that were not, the first of them row 30; the store has rows 0 to 29 of 90 as they are`,
      ),
    );
    writeFileSync(data, csvOf({ ...table, classNames: ["red", "green", "violet"] }, "kind,x,y\n"));
    expect(await distill("--soft-targets", part)).toEqual(
      refused(
        `${part}: expected answers about the classes of ${data}, "green", "red" and "violet", got "blue", "green" and "red"`,
      ),
    );
  });

  it("refuses answers that can't be compared, and those for another temperature", async () => {
    const file = path("all.softtargets");
    await label("all.softtargets", "--mode", "top-2:nothing");
    expect(await distill("--soft-targets", file)).toEqual(
      refused(
        `${file}: holds answers in top-2:nothing, in which a class that is not kept has the logit −∞, and students can't be compared with that; label with top-2`,
      ),
    );
    const x = tensor(table.values, { shape: [90, 2] });
    const members = [1, 2].map((seed) => new Linear(2, 3, { random: new RandomStream(seed) }));
    const ensemble = new Ensemble(members, { temperature: 3 });
    saveSoftTargets(file, recordSoftTargets(ensemble, { x }));
    const other = refused(
      `${file}: holds answers for temperature 3 only; give --temperature 3, without --terms`,
    );
    expect(await distill("--soft-targets", file)).toEqual(other);
    expect(await distill("--soft-targets", file, "--terms", terms)).toEqual(other);
    expect((await distill("--soft-targets", file, "--temperature", "3")).code).toBe(0);
    saveSoftTargets(file, recordSoftTargets(new Linear(2, 4), { x }));
    expect((await distill("--soft-targets", file)).stderr).toContain("got 4 classes without names\n");
  });

  it("refuses terms between layers, and options of a teacher that is not trained", async () => {
    const layers = JSON.stringify({
      soft: { loss: "softTargetLoss", options: { temperature: 4 } },
      maps: { loss: "hintLoss", layers: [["relu1", "relu1"]] },
    });
    expect(await distill("--teacher-file", path(teacher), "--terms", layers)).toEqual(
      refused(
        '--terms: "maps" compares layers with a teacher\'s, and of the teacher there are only answers; leave it out',
      ),
    );
    for (const [name, value] of [
      ["teacher", "8"],
      ["dropout", "0"],
      ["teacher-epochs", "1"],
    ]) {
      for (const place of ["soft-targets", "teacher-file"]) {
        expect(await distill(`--${place}`, "file", `--${name}`, value)).toEqual(
          refused(
            `distill: --${name} has no effect beside --${place}, which takes the place of training a teacher`,
          ),
        );
      }
    }
    expect(await distill("--soft-targets", "file", "--teacher-file", "file")).toEqual(
      refused("distill: --soft-targets and --teacher-file both name a teacher; leave one out"),
    );
  });
});
