import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../src/", import.meta.url).pathname;
const files = (readdirSync(root, { recursive: true }) as string[])
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.replaceAll("\\", "/"));

/** Lowest first. A file imports from its own floor or a lower one. */
const floors: readonly (readonly string[])[] = [
  [
    "errors",
    "arguments",
    "shape",
    "nested",
    "labels",
    "math",
    "exponential",
    "error-function",
    "power",
    "integer-power",
    "powers-of-two",
    "product-error",
    "trigonometry",
    "random",
    "sha256",
    "kernels",
  ],
  ["graph", "tensor", "factories", "non-finite"],
  ["ops"],
  ["nn", "optim", "data", "io"],
  ["distill", "index"],
  ["node"],
  ["cli"],
];

const floorOf = (file: string): number => {
  const room = file.split("/")[0].replace(/\.ts$/, "");
  return floors.findIndex((rooms) => rooms.includes(room));
};

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Comments and the contents of string literals say nothing about what a file does. */
function code(file: string): string {
  return readFileSync(join(root, file), "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:])\/\/.*$/gm, "$1");
}

function imports(file: string): Import[] {
  const statement = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"/g;
  return [...code(file).matchAll(statement)].map(([, type, target, dynamic]) => ({
    target: target ?? dynamic,
    typeOnly: type !== undefined,
  }));
}

const inside = (file: string, target: string): string =>
  normalize(join(dirname(file), target)).replaceAll("\\", "/");

describe("the house", () => {
  it("has a floor for every file, apart from the annex of checks", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((file) => floorOf(file) === -1 && !file.startsWith("check/"))).toEqual([]);
  });

  it("has imports that point down, to files that exist", () => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => !name.startsWith("check/"))) {
      for (const { target } of imports(file)) {
        if (!target.startsWith(".")) continue;
        const to = inside(file, target);
        if (!files.includes(to)) wrong.push(`${file} imports ${target}, which is not a file`);
        else if (to.startsWith("check/")) {
          if (!file.startsWith("cli/")) wrong.push(`${file} imports ${to}: only commands import the checks`);
        } else if (floorOf(to) > floorOf(file))
          wrong.push(`${file} imports ${to}, which is on a higher floor`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("lets the checks import values from the first two floors only", () => {
    const wrong = files
      .filter((file) => file.startsWith("check/"))
      .flatMap((file) =>
        imports(file).map(({ target, typeOnly }) => ({ to: inside(file, target), typeOnly })),
      )
      .filter(({ to, typeOnly }) => !typeOnly && !to.startsWith("check/") && floorOf(to) > 1);
    expect(wrong).toEqual([]);
  });

  it("has no cycle of imports, types included", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file))
        throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
      if (done.has(file)) return;
      for (const { target } of imports(file))
        if (target.startsWith(".")) visit(inside(file, target), [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(done.size).toBe(files.length);
  });

  it("imports nothing from outside, but Node's own modules in the command line, and fast-check for its entry", () => {
    const foreign = files.flatMap((file) =>
      imports(file)
        .filter(({ target }) => !target.startsWith("."))
        .filter(({ target }) => !(target.startsWith("node:") && floorOf(file) >= 5))
        .filter(({ target }) => !(target === "fast-check" && file.startsWith("check/fast-check/")))
        .map(({ target }) => `${file}: ${target}`),
    );
    expect(foreign).toEqual([]);
  });

  it("asks nobody for fast-check but who imports its entry", () => {
    const entry = files.filter((file) => file.startsWith("check/fast-check/"));
    expect(entry.length).toBeGreaterThan(0);
    const wrong = files
      .filter((file) => !entry.includes(file))
      .filter((file) => imports(file).some(({ target }) => entry.includes(inside(file, target))));
    expect(wrong).toEqual([]);
  });

  it("has no runtime dependencies", () => {
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.optionalDependencies).toBeUndefined();
    for (const peer of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true });
    }
  });

  it("uses only arithmetic that gives the same bits on every engine", () => {
    const allowed = /^(abs|floor|ceil|trunc|round|sign|min|max|sqrt|fround|imul|clz32|PI)$/;
    const wrong: string[] = [];
    for (const file of files.filter((name) => floorOf(name) < 5)) {
      const text = code(file);
      for (const [, name] of text.matchAll(/\bMath\s*(?:\.\s*|\[\s*["'])(\w+)/g)) {
        if (!allowed.test(name)) wrong.push(`${file}: Math.${name}`);
      }
      if (/\bMath\b(?!\s*[.[])/.test(text)) wrong.push(`${file}: Math as a value`);
      if (/\*\*/.test(text)) wrong.push(`${file}: **`);
      for (const name of [
        "Date",
        "performance",
        "crypto",
        "setTimeout",
        "process",
        "globalThis",
        "Function",
      ]) {
        if (new RegExp(`\\b${name}\\b\\s*[.(]`).test(text)) wrong.push(`${file}: ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("spreads no array into Math.max, which throws at 130,000 values", () => {
    const wrong = files.filter((file) => floorOf(file) < 5 && /Math\.(max|min)\(\s*\.\.\./.test(code(file)));
    expect(wrong).toEqual([]);
  });

  it("does nothing when imported", () => {
    // Every statement at the start of a line declares something, or goes on with or closes what a line before began.
    const wrong: string[] = [];
    for (const file of files.filter((name) => floorOf(name) < 5)) {
      const text = code(file).replace(/`[^`]*`/g, "``");
      for (const line of text.split("\n")) {
        if (
          /^[A-Za-z_$]/.test(line) &&
          !/^(import|export|const|let|function|class|abstract|interface|type|async|declare)\b/.test(line)
        ) {
          wrong.push(`${file}: ${line}`);
        }
        const called = /^(?:export )?(?:const|let) [^=]+= (?!.*=>)(?:await |new )?[\w.]+\(/.exec(line);
        if (called && !/@__PURE__|Symbol\.for/.test(line)) wrong.push(`${file}: ${line}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("calls no file utils, helpers, common or types", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|types)\b/.test(file))).toEqual([]);
  });

  it("writes no any", () => {
    expect(files.filter((file) => /:\s*any\b|<any>|\bas any\b|any\[\]/.test(code(file)))).toEqual([]);
  });
});
