import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadChecks } from "../../src/cli/load-checks.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { run } from "./support/tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "distilgrad-"));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
/** A module of a user's, with `softsign` right and `careless` without the square in its derivative. */
function module(code: string, extension = "mjs"): string {
  const path = join(folder, `ops-${written++}.${extension}`);
  const library = new URL("../../src/index.ts", import.meta.url).pathname;
  writeFileSync(
    path,
    `import * as dg from "${library}";
const op = (name, f, d) => (x) => dg.record(name, x.data.map(f), x.shape, [
  dg.wrt(x, (dx, dy) => { for (let i = 0; i < dx.length; i++) dx[i] += d(x.data[i]) * dy[i]; }),
]);
const softsign = op("softsign", (x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)) ** 2);
const careless = op("careless", (x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)));
${code}`,
  );
  return path;
}

const right = module(
  "export const checks = { softsign: { fn: softsign, inputs: [dg.tensor([-1.5, 0.3])] } };",
);
const mixed = module(`
const student = new dg.Linear(4, 3, { random: new dg.RandomStream(1) });
const trainer = new dg.SupervisedTrainer({ model: student, optimizer: new dg.Adam(student.parameters()) });
const x = dg.randn([5, 4], { random: new dg.RandomStream(2) });
export const checks = {
  softsign: { fn: softsign, inputs: [dg.tensor([-1.5, 0.3, 2])] },
  careless: { fn: careless, inputs: [dg.tensor([[-1.5, 0.3, 2]])], names: ["x"], seed: 5 },
  relu: { fn: dg.relu, inputs: [dg.tensor([0, 1])] },
  log: { fn: dg.log, inputs: [dg.tensor([-1, 1])] },
  fails: { fn: () => { throw new TypeError("no \\u001b such"); }, inputs: [x] },
  odd: { fn: () => { throw 3; }, inputs: [x] },
  student: { module: student, inputs: [x], forward: (x) => dg.softmax(student.forward(x)) },
  "the loss": { trainer, batch: { x, labels: Int32Array.of(0, 1, 2, 0, 1) } },
};`);

describe("distilgrad gradcheck", () => {
  it("prints a table, and ends with 0 when all holds", async () => {
    const { code, stdout, stderr } = await run(["gradcheck", right]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 5)).toEqual([
      right,
      "",
      "                             largest",
      "check     result   compared    error  allowed  where it is largest",
      "─".repeat(lines[3].length),
    ]);
    expect(lines[5]).toMatch(
      /^softsign {2}ok {6}4 entries {2}\d\.\de-1\d {3}\d\.\de-9 {2}input 0 at \[[01]\]$/,
    );
    expect(lines.slice(6)).toEqual([
      "─".repeat(lines[3].length),
      "It holds: backward is the derivative, as far as differences can tell.",
      "",
    ]);
  });

  it("says below the table what does not hold and why, and ends with 1", async () => {
    const { code, stdout, stderr } = await run(["gradcheck", mixed]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "distilgrad: gradcheck: 5 of 8 failed\n" });
    for (const line of stdout.split("\n").slice(1)) expect(line.length).toBeLessThanOrEqual(100);
    const rows = stdout.split("\n").slice(5, 13);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(": "))).toEqual([
      "softsign: ok",
      "careless: wrong",
      "relu: kink",
      "log: not finite",
      "fails: error",
      "odd: error",
      "student: ok",
      "the loss: ok",
    ]);
    expect(stdout).toMatch(/^the loss {2}ok .* "model\.weight" at \[\d, \d\]$/m);
    expect(stdout.split("5 of 8 do not hold.\n")[1]).toBe(`
careless
  gradcheck: careless, input 0 "x" at [0, 0]: backward says 0.4, central difference 0.16 (relative
    6.0e-1 > 2.2e-8, seed 5)
  smallest case: input 0 "x" = [[-2]]

relu
  gradcheck: relu, input 0 at [0]: backward says 0, central difference 0.5; the slopes to both
    sides differ: a kink, where there is no derivative; move the inputs at least 10 steps (0.01)
    away from there (seed 1)

log
  gradcheck: log: the result is NaN at [0], first seen at log; a derivative needs finite numbers:
    choose inputs inside the function's domain (seed 1)
  smallest case: input 0 = [-1]

fails
  TypeError: no � such

odd
  threw 3
`);
  });

  it("prints one JSON document for programs", async () => {
    const { code, stdout } = await run(["gradcheck", mixed, "--json", "--seed", "9", "--step", "1e-4"]);
    expect(code).toBe(1);
    const { file, failed, checks } = JSON.parse(stdout);
    expect({ file, failed }).toEqual({ file: mixed, failed: 5 });
    expect(checks[0]).toMatchObject({
      ok: true,
      name: "softsign",
      compared: "entries",
      count: 9,
      seed: 9,
      step: 1e-4,
    });
    expect(checks[1]).toMatchObject({
      ok: false,
      name: "careless",
      code: "gradient",
      law: "differences",
      hint: null,
      case: { inputs: [[[-2]]], options: { seed: 5, step: 1e-4 } },
    });
    expect(
      checks.slice(2, 6).map(({ code, message }: Record<string, string>) => [code, message.slice(0, 20)]),
    ).toEqual([
      ["kink", "gradcheck: relu, inp"],
      ["nonfinite", "gradcheck: log: the "],
      [null, "TypeError: no \u001b such"],
      [null, "threw 3"],
    ]);
  });

  it("draws inputs for exported functions where nothing says what to check", async () => {
    const path = module(
      "export { softsign, careless }; export const two = (a, b) => dg.mul(a, b); export const helper = () => 3; export class Thing {}; export const size = 3;",
    );
    const { code, stdout } = await run(["gradcheck", path, "--json"]);
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout);
    // A module lists its exports in the order of their names, which a bundler may not.
    expect(checks.map(({ name, ok, count }: Record<string, unknown>) => [name, ok, count]).sort()).toEqual([
      ["careless", false, undefined],
      ["softsign", true, 36],
      ["two", true, 72],
    ]);
    expect((await run(["gradcheck", path, "--json"])).stdout).toBe(stdout);
    expect((await run(["gradcheck", path, "--json", "--seed", "2"])).stdout).not.toBe(stdout);
  });

  it("paints on a terminal only", async () => {
    expect((await run(["gradcheck", right], { terminal: true })).stdout).toContain("\u001b[32mok");
    expect((await run(["gradcheck", mixed], { terminal: true })).stdout).toContain("\u001b[31mwrong");
    expect((await run(["gradcheck", right])).stdout).not.toContain("\u001b");
  });

  it.each<[message: string, args: () => readonly string[]]>([
    ["gradcheck: expected file.js, got nothing; see distilgrad gradcheck --help", () => []],
    ['gradcheck: --step must be a number above 0, got "0"', () => [right, "--step", "0"]],
    ['gradcheck: --seed must be a whole number of at least 0, got "x"', () => [right, "--seed", "x"]],
    [`${join(folder, "none.js")}: no such file`, () => [join(folder, "none.js")]],
    [`${folder}: is a folder, not a file`, () => [folder]],
  ])("says of wrong use, with code 2: %s", async (message, args) => {
    expect(await run(["gradcheck", ...args()])).toEqual({
      code: 2,
      stdout: "",
      stderr: `distilgrad: ${message}\n`,
    });
  });

  it.each<[message: string, code: string]>([
    ["cannot be loaded: Error: boo", "throw new Error('boo\\nmore');"],
    ["it threw 3 when it was loaded", "throw 3;"],
    ["expected an exported function, or an export checks = { name: { fn, inputs } }, got none", ""],
    [
      "expected at least one entry in checks = { name: { fn, inputs } }, got none",
      "export const checks = {};",
    ],
    ["checks must be an object { name: { fn, inputs } }, got 3", "export const checks = 3;"],
    [
      "checks.a must be { fn, inputs }, { module, inputs } or { trainer, batch }, got an object",
      "export const checks = { a: {} };",
    ],
    [
      "checks.a must be { fn, inputs }, { module, inputs } or { trainer, batch }, got the function fn",
      "export const checks = { a: function fn() {} };",
    ],
    [
      "checks.a must be { fn, inputs }, { module, inputs } or { trainer, batch }, got fn and module",
      "export const checks = { a: { fn: 1, module: 2 } };",
    ],
  ])("says of a module, with code 2: %s", async (message, code) => {
    const path = module(code);
    expect(await run(["gradcheck", path])).toEqual({
      code: 2,
      stdout: "",
      stderr: `distilgrad: ${path}: ${message}\n`,
    });
  });

  it("says when this Node does not run TypeScript", async () => {
    const path = module("", "ts");
    const refused = Object.assign(new TypeError("Unknown file extension"), {
      code: "ERR_UNKNOWN_FILE_EXTENSION",
    });
    const load = (): Promise<never> => Promise.reject(refused);
    await expect(loadChecks(path, { seed: 1 }, load)).rejects.toThrow(
      new UsageError(
        `${path}: Node ${process.versions.node} does not run TypeScript; compile it first, or use Node 22.18 or newer`,
      ),
    );
    await expect(loadChecks(module("", "css"), { seed: 1 }, load)).rejects.toThrow(
      /\.css: cannot be loaded: TypeError: Unknown file extension$/,
    );
  });
});
