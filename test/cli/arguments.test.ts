import { describe, expect, it } from "vitest";
import { helpOf, readArguments } from "../../src/cli/arguments.ts";
import { demo } from "../../src/cli/digits-demo.ts";
import { distill } from "../../src/cli/distill-command.ts";
import { editDistance, listed, nearestName } from "../../src/cli/nearest-name.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { run } from "./support/tiny.ts";

describe("the help", () => {
  it("is what no arguments ask for, on stdout, with code 0", async () => {
    const help = `distilgrad: knowledge distillation on an autograd engine of its own

Usage: distilgrad <command> [options]

Commands:
  demo               Teaches small networks on 1,797 handwritten digits, with and without a large
                     one.
  distill data.csv   Teaches small networks on your own table, with and without a large one.
  sweep data.csv     Tries settings of a distillation on your own table; validation rows choose.
  evaluate model.safetensors data.csv
                     Says what a saved model is worth on a table, on its own and beside others.
  label teacher.safetensors data.csv
                     Stores a saved teacher's answers to every row of a table.
  merge folder       Joins the parts of a teacher's answers that several processes stored.
  gradcheck file.js  Checks the gradients of your own ops, layers and losses against differences.

Options:
  -h, --help         Print this help; after a command, the help of that command
      --version      Print the version
`;
    for (const args of [[], ["--help"], ["-h"], ["help"]]) {
      expect(await run(args)).toEqual({ code: 0, stdout: help, stderr: "" });
    }
  });

  it("of a command lists every option with its default, even beside other arguments", async () => {
    const { code, stdout, stderr } = await run(["demo", "--nonsense", "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(helpOf(demo));
    expect(stdout).toContain("Usage: distilgrad demo [options]\n");
    expect(stdout.split("Options:\n")[1]).toBe(
      `      --seeds N        Repetitions, each with a split and an initialisation of its own (default 5)
      --temperature X  T, softens the answers of teacher and student (default 4)
      --alpha X        Weight of the hard loss, the labels; the soft loss has the rest (default 0.7)
      --labels N       How many labels the students with few labels see (default 50)
      --processes N    Processes that train, a seed each; the numbers are the same for any (default
                       one a core, at most 2)
      --json           Print one JSON document instead of the table
      --quiet          No progress on stderr
  -h, --help           Print this help
`,
    );
  });

  it("names every option of distill and stays within 100 columns", async () => {
    const { stdout } = await run(["distill", "-h"]);
    for (const name of Object.keys(distill.options)) expect(stdout).toMatch(new RegExp(`^ +--${name} `, "m"));
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("has the version beside it", async () => {
    const { code, stdout } = await run(["--version"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe("arguments", () => {
  it("are read by their kind", () => {
    const { values, operands } = readArguments(distill, [
      ...["--label", "-1", "x.csv", "--teacher=16,8", "--alpha", "0", "--temperature", "2.5e0"],
      ...["--separator", "tab", "--json", "--header", "no", "--seeds", "2", "--seeds", "3"],
    ]);
    expect(operands).toEqual(["x.csv"]);
    expect(values).toMatchObject({
      label: "-1",
      teacher: [16, 8],
      student: [32],
      alpha: 0,
      temperature: 2.5,
      separator: "\t",
      json: true,
      quiet: false,
      header: "no",
      seeds: 3,
      labels: null,
    });
  });

  it("take - for standard input and everything after -- as it is", () => {
    expect(readArguments(distill, ["-"]).operands).toEqual(["-"]);
    expect(readArguments(distill, ["--", "--seeds"]).operands).toEqual(["--seeds"]);
  });

  it.each([
    [["dem"], 'unknown command "dem"; did you mean demo?'],
    [
      ["train"],
      'unknown command "train"; possible are demo, distill, sweep, evaluate, label, merge and gradcheck',
    ],
    [
      ["constructor"],
      'unknown command "constructor"; possible are demo, distill, sweep, evaluate, label, merge and gradcheck',
    ],
    [["--hlep"], "unknown option --hlep before a command; did you mean --help?"],
    [["demo", "--temprature", "4"], "demo: unknown option --temprature; did you mean --temperature?"],
    [
      ["demo", "--foo"],
      "demo: unknown option --foo; possible are --seeds, --temperature, --alpha, --labels, --processes, --json, --quiet and --help",
    ],
    [["demo", "-x"], expect.stringMatching(/^distilgrad: demo: unknown option -x; possible are --seeds, /)],
    [
      ["demo", "--__proto__"],
      expect.stringMatching(/^distilgrad: demo: unknown option --__proto__; possible are /),
    ],
    [["demo", "digits"], 'demo: expected options only, got "digits" besides'],
    [["demo", "--seeds", "five"], 'demo: --seeds must be a whole number from 1 to 1000, got "five"'],
    [["demo", "--seeds", "0"], 'demo: --seeds must be a whole number from 1 to 1000, got "0"'],
    [["demo", "--seeds", "0x10"], 'demo: --seeds must be a whole number from 1 to 1000, got "0x10"'],
    [["demo", "--seeds="], 'demo: --seeds must be a whole number from 1 to 1000, got ""'],
    [["demo", "--seeds", "--json"], "demo: --seeds needs a value: a whole number from 1 to 1000"],
    [["demo", "--seeds"], "demo: --seeds needs a value: a whole number from 1 to 1000"],
    [["demo", "--json=yes"], 'demo: --json takes no value, got "yes"'],
    ...["0", "1e999", "1e-200"].map((given): [string[], string] => [
      ["demo", "--temperature", given],
      `demo: --temperature must be a number from 1e-8 to 1e8, got "${given}"`,
    ]),
    [
      ["demo", "--alpha", "-1"],
      'demo: --alpha must be a number from 0 to 1; it weighs the hard loss, got "-1"',
    ],
    [["demo", "--labels", "1.5"], 'demo: --labels must be a whole number of at least 1, got "1.5"'],
    [
      ["demo", "--labels", "1438"],
      "--labels must be below the number of labelled rows to train on, 1438, got 1438",
    ],
    [["distill"], "distill: expected data.csv, got nothing; see distilgrad distill --help"],
    [["distill", ""], 'distill: expected data.csv, got ""'],
    [["distill", "a.csv", "b.csv"], 'distill: expected only data.csv, got "b.csv" besides'],
    [
      ["distill", "a.csv", "--teacher", "256,"],
      'distill: --teacher must be the widths of hidden layers, whole numbers from 1 to 65536 such as 256,256, got "256,"',
    ],
    [["distill", "a.csv", "--header", "maybe"], 'distill: --header must be auto, yes or no, got "maybe"'],
    [["distill", "a.csv", "--test", "1"], 'distill: --test must be a number between 0 and 1, got "1"'],
    [
      ["distill", "a.csv", "--dropout", "1"],
      'distill: --dropout must be a number from 0 to below 1, got "1"',
    ],
    [
      ["distill", "a.csv", "--separator", ";;"],
      'distill: --separator must be one character other than a quote or a line end, or tab, got ";;"',
    ],
    [
      ["distill", "a.csv", "--few-steps", "3"],
      "distill: --few-steps is for students with few labels; give --labels N too",
    ],
  ])("that are wrong end with code 2 and one sentence: %j", async (args, message) => {
    const stderr = typeof message === "string" ? `distilgrad: ${message}\n` : message;
    expect(await run(args)).toEqual({ code: 2, stdout: "", stderr });
  });

  it("are refused with an error of their own class", () => {
    expect(() => readArguments(demo, ["x"])).toThrow(UsageError);
  });
});

describe("names", () => {
  it("are near when few edits lead from one to the other", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("sedes", "seeds")).toBe(1);
    expect(nearestName("sede", ["seeds", "labels"])).toBe("seeds");
    expect(nearestName("x", ["seeds", "labels"])).toBe(null);
  });

  it("are listed as in a sentence", () => {
    expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
      "",
      "a",
      "a and b",
      "a, b and c",
    ]);
  });
});
