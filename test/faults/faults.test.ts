/** Holds the list of faults to the source. Whether the tests notice them is what `npm run faults` finds out. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Fault, inject } from "./fault.ts";
import { faults } from "./faults.ts";
import { readOptions } from "./options.js";

const at = (file: string): URL => new URL(`../../${file}`, import.meta.url);

describe("the seeded faults", () => {
  it("are many, each under a name of its own, and no two the same", () => {
    expect(faults.length).toBeGreaterThanOrEqual(200);
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    expect(faults.filter(({ name }) => !/^[a-z0-9-]+$/.test(name))).toEqual([]);
    expect(new Set(faults.map(({ file, from, to }) => `${file}\n${from}\n${to}`)).size).toBe(faults.length);
  });

  it("are on every floor", () => {
    const rooms = new Set(faults.map(({ file }) => file.split("/")[1]));
    for (const room of ["kernels", "graph.ts", "tensor.ts", "ops", "nn", "optim", "data", "distill"]) {
      expect(rooms).toContain(room);
    }
  });

  it("change one place each, which the source has once", () => {
    for (const fault of faults) {
      const source = readFileSync(at(fault.file), "utf8");
      expect(inject(source, fault), fault.name).not.toBe(source);
    }
  });

  it("name tests that there are", () => {
    const tests = new Set(faults.flatMap((fault) => fault.tests));
    expect([...tests].filter((file) => !/\.test\.ts$/.test(file) || !existsSync(at(file)))).toEqual([]);
    expect(faults.filter((fault) => fault.tests.length === 0)).toEqual([]);
  });
});

it.each([
  ["nothing", 0],
  ["a + a", 2],
])("a fault whose place is not found once is refused: in %j", (source, times) => {
  const fault = { name: "slip", file: "src/sum.ts", from: "a", to: "b", tests: [] };
  expect(() => inject(source, fault)).toThrow(
    `slip: expected its text once in src/sum.ts, found it ${times} times`,
  );
});

describe("the options of npm run faults", () => {
  const few: Fault[] = ["one", "two", "three"].map((name) => ({
    name,
    file: "src/sum.ts",
    from: "a",
    to: "b",
    tests: [],
  }));
  const read = (...args: string[]) => readOptions(args, few);

  it("choose everything where nothing is chosen", () => {
    expect(read()).toEqual({ chosen: few, json: false, allTests: false });
  });

  it("choose in the list's order", () => {
    expect(read("--only", "three, one", "--json", "--all-tests")).toEqual({
      chosen: [few[0], few[2]],
      json: true,
      allTests: true,
    });
  });

  it.each([
    [["--only", "four"], '--only: expected names of faults with commas, got "four"; test/faults has them'],
    [["--only", "one,"], '--only: expected names of faults with commas, got ""; test/faults has them'],
    [["--fast"], "Unknown option '--fast'; the options are --only, --json, --all-tests"],
    [["one"], "Unexpected argument 'one'"],
  ])("say what is wrong with %j", (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});
