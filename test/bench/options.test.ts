import { describe, expect, it } from "vitest";
import { readOptions } from "../../bench/options.js";
import { short, table, time } from "../../bench/table.js";

const settings = { names: ["W1", "W2", "size"], rounds: 5, flags: ["json"], values: ["python"] };
const read = (...args: string[]) => readOptions(args, settings);

describe("a benchmark's options", () => {
  it("choose everything where nothing is chosen", () => {
    expect(read()).toMatchObject({ chosen: ["W1", "W2", "size"], rounds: 5 });
  });

  it("choose in the table's order, not in that of the command line", () => {
    expect(read("--only", "size, W1", "--rounds", "2", "--json")).toMatchObject({
      chosen: ["W1", "size"],
      rounds: 2,
      given: { json: true },
    });
  });

  it.each([
    [["--only", "W9"], '--only: expected W1, W2, size or several of them with commas, got "W9"'],
    [["--only", "W1,"], '--only: expected W1, W2, size or several of them with commas, got ""'],
    [["--rounds", "0"], '--rounds: expected a whole number of at least 1, got "0"'],
    [["--rounds", "many"], '--rounds: expected a whole number of at least 1, got "many"'],
    [["--fast"], "Unknown option '--fast'; the options are --only, --rounds, --json, --python"],
  ])("say what is wrong with %j", (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});

it("shows figures with two or three digits", () => {
  expect([0.0312, 1.26, 12.34, 123.4, 12345].map(short)).toEqual(["0.031", "1.3", "12.3", "123", "12,345"]);
  expect([0.0047, 0.1304, 1.04, 41.9].map(time)).toEqual(["4.7 µs", "130 µs", "1.0 ms", "41.9 ms"]);
});

it("lines up columns, with rules and headings across them", () => {
  expect(table([["", "ms"], null, "steps", ["  W1", "0.5"], ["  W2", ""]]).split("\n")).toEqual([
    "       ms",
    "─────────",
    "steps",
    "  W1  0.5",
    "  W2",
  ]);
});
