import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Evidence, extremeValues, lawsByGroup } from "./laws.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const sources = new Map<string, string>();

/** The source of a file, or of all files of a folder. */
function sourceOf(path: string): string {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const files = path.endsWith(".ts")
    ? [path]
    : readdirSync(new URL(path, root)).map((file) => `${path}/${file}`);
  const source = files.map(read).join("\n");
  sources.set(path, source);
  return source;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Whether a file has a test of this name, one of a table or one in a condition, or a published check that says it. */
function exists({ file, name }: Evidence): boolean {
  const [quoted, template] = [escaped(JSON.stringify(name)), escaped(`\`${name}\``)];
  return new RegExp(`(\\b(it|test)\\(|\\)\\(|\\bsays:)\\s*(${quoted}|${template}),`).test(sourceOf(file));
}

/** The names of tests that begin with numbers. */
const numbered = (file: string): string[] =>
  [...sourceOf(file).matchAll(/[()]\(?\s*"(\d+(?:, \d+)*: (?:[^"\\]|\\.)*)",/g)].map(([, name]) => name!);

const all = Object.values(lawsByGroup).flat();

describe("the list of laws", () => {
  it("has ascending numbers, and a test for every law", () => {
    const numbers = all.map(({ number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    for (const { number, tests } of all) expect(tests.length, `law ${number}`).toBeGreaterThan(0);
  });

  it("names tests that exist", () => {
    const named = [...all, ...extremeValues].flatMap(({ tests }) => tests);
    expect(named.filter((evidence) => !exists(evidence))).toEqual([]);
    expect(exists({ file: "test/laws.test.ts", name: "5: keeps" })).toBe(false);
    expect(exists({ file: "test/proof/laws.test.ts", name: "escaped" })).toBe(false);
  });

  it.each(["test/laws.test.ts", "test/distill/laws.test.ts", "test/random-graphs.test.ts"])(
    "has every numbered test of %s under its numbers",
    (file) => {
      const names = numbered(file);
      expect(names.length).toBeGreaterThan(2);
      for (const name of names) {
        for (const number of name.split(": ")[0]!.split(", ").map(Number)) {
          const { tests = [] } = all.find((law) => law.number === number) ?? {};
          expect(tests, name).toContainEqual({ file, name });
        }
      }
    },
  );
});
