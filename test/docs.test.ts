/**
 * The documents are held to what they say: every `ts` block runs, prints what its `// →` comments state, and compiles as
 * a reader's own strict TypeScript; links lead somewhere; scripts exist.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { manualSeed } from "../src/random.ts";
import { anchors, codeBlocks, headings, links, npmScripts, statedOutput } from "./support/code-blocks.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "test/.blocks");

const documents = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

const blocks = documents.flatMap(({ name, text }) =>
  codeBlocks(text)
    .filter(({ info }) => info.startsWith("ts"))
    .map((block) => ({
      ...block,
      where: `${name}:${block.line}`,
      file: join(folder, `${name.replace(/\W+/g, "-")}-${block.line}.ts`),
    })),
);

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { code, file } of blocks) writeFileSync(file, `${code}\nexport {};\n`);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      compilerOptions: {
        rootDir: "../..",
        paths: {
          distilgrad: ["../../src/index.ts"],
          "distilgrad/data/digits": ["../../src/data/digits.ts"],
          ...Object.fromEntries(
            ["data", "io", "check", "check/fast-check", "node"].map((entry) => [
              `distilgrad/${entry}`,
              [`../../src/${entry}/index.ts`],
            ]),
          ),
        },
      },
      include: ["*.ts"],
      exclude: [],
    }),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("every block of TypeScript", () => {
  beforeEach(() => {
    // What a fresh process starts with, so that no block depends on the one before.
    manualSeed(0);
    return () => vi.restoreAllMocks();
  });

  test.each(blocks)("$where runs and prints what it states", async ({ code, file }) => {
    const printed: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...values) => {
      printed.push(...format(...values).split("\n"));
    });
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    const stated = statedOutput(code);
    if (stated.length > 0) expect(printed).toEqual(stated);
  });

  test("is marked ts and nothing else, so none is left out", () => {
    expect(blocks.map(({ info }) => info)).toEqual(blocks.map(() => "ts"));
  });

  test("compiles as a reader would compile it", () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    let complaints = "";
    try {
      execFileSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    } catch (error) {
      complaints = String((error as { stdout?: string }).stdout ?? error);
    }
    expect(complaints).toBe("");
  });
});

describe("every document", () => {
  test.each(documents)("$name links only to files and headings that exist", ({ name, text }) => {
    const broken = links(text).filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path, anchor] = target.split("#");
      const file = path === "" ? join(root, name) : resolve(root, dirname(name), path);
      if (!existsSync(file) || relative(root, file).startsWith("..")) return true;
      return anchor !== undefined && !anchors(readFileSync(file, "utf8")).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test.each(documents)("$name names only scripts that package.json has", ({ text }) => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(npmScripts(text).filter((script) => !(script in scripts))).toEqual([]);
  });
});

test("docs/mathematics.md explains every op, in the order of src/ops/index.ts", () => {
  const index = readFileSync(join(root, "src/ops/index.ts"), "utf8");
  const files = [...index.matchAll(/from "\.\/(.+?)\.ts"/g)].map(([, file]) => file);
  const text = documents.find(({ name }) => name === "docs/mathematics.md")!.text;
  const explained = headings(text).flatMap(
    (heading) => /^\[.*\]\(\.\.\/src\/ops\/(.+)\.ts\)$/.exec(heading)?.[1] ?? [],
  );
  expect(explained).toEqual(files);
});

test("docs/mathematics.md derives every loss between student and teacher", () => {
  const index = readFileSync(join(root, "src/distill/losses/index.ts"), "utf8");
  const files = [...index.matchAll(/from "\.\/(.+?)\.ts"/g)].map(([, file]) => file);
  const text = documents.find(({ name }) => name === "docs/mathematics.md")!.text;
  const derived = headings(text).flatMap((heading) =>
    [...heading.matchAll(/\(\.\.\/src\/distill\/losses\/(.+?)\.ts\)/g)].map(([, file]) => file),
  );
  expect(derived.sort()).toEqual(files.sort());
});
