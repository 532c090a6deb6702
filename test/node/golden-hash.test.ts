/** The golden hashes of `support/golden-weights.js` once more, from the built package in processes of their own. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { goldenOfDense, goldenOfNetworks } from "../support/golden-weights.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const weights = new URL("../support/golden-weights.js", import.meta.url).href;

/** The name of the kernels that served, and the hashes of trainings, from a process that starts with `before`. */
function hashes(trainings: readonly string[], before = "", ...flags: string[]): string[] {
  const program = `(async () => {
    ${before}
    const { float32 } = await import("distilgrad");
    const trainings = await import(${JSON.stringify(weights)});
    const found = ${JSON.stringify(trainings)}.map((name) => trainings[name]());
    console.log([float32.name, ...found].join("\\n"));
  })()`;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, "--eval", program], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

const both = ["distilledWeights", "networkWeights"];

describe("the golden hashes of the built package, in a process of its own", () => {
  it("are the same by SIMD", () => {
    expect(hashes(both)).toEqual(["float32 SIMD", goldenOfDense, goldenOfNetworks]);
  });

  it("are the same where there is no WebAssembly", () => {
    const refused = "delete globalThis.WebAssembly;";
    expect(hashes(both, refused)).toEqual(["float32", goldenOfDense, goldenOfNetworks]);
  });

  it("are the same from an engine that interprets JavaScript and compiles none", () => {
    const interpreted = hashes(both.slice(0, 1), "", "--no-opt", "--no-sparkplug");
    expect(interpreted).toEqual(["float32 SIMD", goldenOfDense]);
  });
});
