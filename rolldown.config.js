// @ts-check
/**
 * The JavaScript that ships: a file for each entry, and what entries share in a few chunks. To load the modules of src
 * one by one would take longer than all else at a program's start. Nothing is minified, as stack traces are read; tsc
 * writes the declarations.
 */
const entries = [
  "index",
  "math",
  "data/index",
  "data/digits",
  "io/index",
  "check/index",
  "check/fast-check/index",
  "node/index",
  "cli/main",
  // Programs of threads and processes, which are started by their file's name.
  "node/product-worker",
  "cli/worker",
];

/** @satisfies {import("rolldown").BuildOptions} */
export default {
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  external: ["fast-check", /^node:/],
  platform: "neutral",
  output: {
    dir: "dist",
    chunkFileNames: "chunks/[name].js",
    minifyInternalExports: false,
    sourcemap: true,
    sourcemapExcludeSources: true, // which ship beside them
    codeSplitting: {
      // Each with all that it imports and that is in none above.
      groups: [
        { name: "numbers", test: /src.(math|random)\.ts/ },
        { name: "tensor", test: /src.factories\.ts/ },
        { name: "wasm", test: /src.kernels.wasm/ },
        { name: "data", test: /src.data.(?!index|digits)/ },
        { name: "library", test: /src.(ops|nn|optim|distill)/ },
      ],
    },
  },
};
