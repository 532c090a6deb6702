import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // The code blocks of README and docs import the package by name; in the tests that is the source.
    alias: [
      { find: /^distilgrad$/, replacement: source("index.ts") },
      { find: /^distilgrad\/data\/digits$/, replacement: source("data/digits.ts") },
      { find: /^distilgrad\/math$/, replacement: source("math.ts") },
      { find: /^distilgrad\/(data|io|check)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
  },
});
