// @ts-check
/** What `npm run bench` measures: groups of rows under the names that `--only` takes. */
import { add, Linear, noGrad, plainFloat32, ReLU, relu, Sequential, softmax, sum, tensor } from "distilgrad";
import { bundleSizes } from "./bundle-sizes.js";
import { startUp } from "./start-up.js";
import { stepOf } from "./steps.js";
import { onTwoThreads } from "./threads.js";
import { flopOf, hashedUniform, workloadNames, workloads } from "./workloads.js";

/** @typedef {import("distilgrad").Kernels} Kernels */
/** @typedef {import("./measure.js").Row} Row */
/** @typedef {{ title: string, rows: (kernels: Kernels) => Row[] }} Group */

const million = 1_000_000;

/** A buffer where weights lie, filled with hashed numbers in [−1, 1). @param {Kernels} kernels @param {number} size @param {number} seed */
function buffer(kernels, size, seed) {
  const values = kernels.lasting(size);
  values.set(hashedUniform(seed, size, 1));
  return values;
}

const products = /** @type {const} */ ([
  ["A·B", "matmul"],
  ["Aᵀ·B", "matmulTransposedA"],
  ["A·Bᵀ", "matmulTransposedB"],
]);

/** All three products of one size, added to their result as in training. @param {Kernels} kernels @param {readonly [m: number, k: number, n: number]} size */
function productRows(kernels, [m, k, n]) {
  const [a, b, c] = [buffer(kernels, m * k, 1), buffer(kernels, k * n, 2), kernels.lasting(m * n)];
  return products.map(([name, kind]) => ({
    name: m === k && k === n ? `${name} ${m}` : `${name} ${m}×${k}×${n}`,
    flop: 2 * m * k * n,
    run: () => kernels[kind](c, a, b, m, k, n),
  }));
}

/** @param {Kernels} kernels @returns {Row[]} */
function elementwiseRows(kernels) {
  const [y, a, b] = [kernels.lasting(million), buffer(kernels, million, 3), buffer(kernels, million, 4)];
  const [p, q] = [a, b].map((values) => tensor(values, { kernels }));
  return [
    { name: "relu 1 M, the loop alone", bytes: 8 * million, run: () => kernels.relu(y, a) },
    { name: "relu 1 M, the op with its fresh result", bytes: 8 * million, run: () => noGrad(() => relu(p)) },
    { name: "add 1 M, the loop alone", bytes: 12 * million, run: () => kernels.add(y, a, b) },
    {
      name: "add 1 M, the op with its fresh result",
      bytes: 12 * million,
      run: () => noGrad(() => add(p, q)),
    },
    { name: "sum 1 M, in float64", bytes: 4 * million, run: () => noGrad(() => sum(p)) },
  ];
}

/** @param {Kernels} kernels @returns {Row[]} */
function adamRows(kernels) {
  const [w, g] = [buffer(kernels, million, 5), buffer(kernels, million, 6)];
  const [m, v] = [kernels.lasting(million), kernels.lasting(million)];
  const settings = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, root: 1 };
  return [
    {
      name: "Adam, 1 M parameters, the loop alone",
      bytes: 28 * million,
      run: () => kernels.adamStep(w, g, m, v, settings),
    },
  ];
}

/** @param {Kernels} kernels @returns {Row[]} */
function softmaxRows(kernels) {
  const logits = tensor(hashedUniform(7, 128_000, 4), { shape: [128, 1000], kernels });
  return [{ name: "softmax 128×1000", bytes: 8 * 128_000, run: () => noGrad(() => softmax(logits)) }];
}

/** @param {Kernels} kernels @returns {Row[]} */
function latencyRows(kernels) {
  const model = new Sequential({
    hidden: new Linear(784, 64, { kernels }),
    relu: new ReLU(),
    logits: new Linear(64, 10, { kernels }),
  });
  const x = tensor(hashedUniform(8, 784, 0.5, 0.5), { shape: [1, 784], kernels });
  return [
    {
      name: "one sample through 784-64-10",
      flop: 2 * (784 * 64 + 64 * 10),
      run: () => noGrad(() => model.forward(x)),
    },
  ];
}

/** @returns {Row[]} */
function threadRows() {
  return ["W2", "W3", "W4", "sgemm 1024"].map((task) => ({
    name: `${task} on two threads`,
    measured: async () => {
      const { two, one, ratio } = await onTwoThreads(task, 10);
      return { value: two, unit: "ms", limit: "on one", limitValue: one, ratio };
    },
  }));
}

/** @returns {Row[]} */
function startUpRows() {
  const results = startUp(9);
  return ["as installed", "bundled"].map((kind, i) => ({
    name: `process start to the first W1 step, ${kind}`,
    measured: async () => {
      const { ms, empty, ratio } = results[i];
      return { value: ms, unit: "ms", limit: "a process that does nothing", limitValue: empty, ratio };
    },
  }));
}

/** @returns {Row[]} */
function sizeRows() {
  return bundleSizes().map(({ name, size, sizeLimit }) => ({
    name,
    measured: async () => ({
      value: size,
      unit: "bytes",
      limit: "its limit in package.json",
      limitValue: sizeLimit,
      ratio: size / sizeLimit,
    }),
  }));
}

const squares = [64, 256, 512, 1024].map((n) => /** @type {const} */ ([n, n, n]));
const odd = /** @type {const} */ ([
  [255, 257, 253],
  [64, 256, 10],
  [1, 784, 64],
]);

/** @type {Readonly<Record<string, Group>>} */
export const groups = {
  ...Object.fromEntries(
    workloadNames.map((name) => [
      name,
      {
        title: workloads[name].says,
        rows: (/** @type {Kernels} */ kernels) => [
          { name: `${name}, a step`, flop: flopOf(workloads[name]), run: stepOf(name, kernels) },
        ],
      },
    ]),
  ),
  products: {
    title: "square products",
    rows: (kernels) => squares.flatMap((size) => productRows(kernels, size)),
  },
  odd: {
    title: "products of odd sizes, ten columns, one row",
    rows: (kernels) => odd.flatMap((size) => productRows(kernels, size)),
  },
  plain: {
    title: "the plain JavaScript set's products",
    rows: () =>
      productRows(plainFloat32, [256, 256, 256]).map((row) => ({ ...row, name: `plain ${row.name}` })),
  },
  elementwise: { title: "elementwise loops and a sum", rows: elementwiseRows },
  adam: { title: "an update", rows: adamRows },
  softmax: { title: "a softmax", rows: softmaxRows },
  latency: { title: "a prediction", rows: latencyRows },
  threads: { title: "a second thread, in processes of their own that take turns", rows: threadRows },
  startup: { title: "start-up, fresh processes", rows: startUpRows },
  size: { title: "bundles, minified and gzipped", rows: sizeRows },
};
