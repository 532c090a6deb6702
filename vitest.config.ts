import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests that start what is built as a process. */
const ofTheBuilt = ["test/cli/program.test.ts", "test/cli/sweep-program.test.ts", "test/node/*.test.ts"];

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // The code blocks of README and docs import the package by name; in the tests that is the source.
    alias: [
      { find: /^distilgrad$/, replacement: source("index.ts") },
      { find: /^distilgrad\/data\/digits$/, replacement: source("data/digits.ts") },
      { find: /^distilgrad\/math$/, replacement: source("math.ts") },
      { find: /^distilgrad\/check\/fast-check$/, replacement: source("check/fast-check/index.ts") },
      { find: /^distilgrad\/(data|io|check|node)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: {
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "SIMD",
          include: ["test/**/*.test.ts"],
          exclude: ofTheBuilt,
          setupFiles: ["test/support/with-simd.ts"],
        },
      },
      {
        extends: true,
        test: { name: "built", include: ofTheBuilt, globalSetup: ["test/support/build.ts"] },
      },
      {
        // What depends on bits, once more as where WebAssembly is refused.
        extends: true,
        test: {
          name: "plain",
          include: [
            "test/golden/*.test.ts",
            "test/golden-hash.test.ts",
            "test/laws.test.ts",
            "test/distill/laws.test.ts",
            "test/distill/distillation-trainer.test.ts",
            "test/distill/soft-targets/training.test.ts",
            "test/kernels/kernels.test.ts",
            "test/ops/ops.test.ts",
          ],
          setupFiles: ["test/support/without-simd.ts"],
        },
      },
    ],
  },
});
