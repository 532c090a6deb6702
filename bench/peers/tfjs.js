// @ts-check
/** TensorFlow.js on its WebAssembly backend, one thread, with SIMD. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { batchesOf, hashedUniform, layersOf, workloadNames, workloads } from "../workloads.js";

const { resolve } = createRequire(import.meta.url);
const { default: tf } = await import("@tensorflow/tfjs");
const wasm = await import("@tensorflow/tfjs-backend-wasm");
const { setWasmPaths, setThreadsCount, version_wasm } = wasm.default ?? wasm;
setWasmPaths(`${dirname(resolve("@tensorflow/tfjs-backend-wasm"))}/`);
setThreadsCount(1);
await tf.setBackend("wasm");

/** @typedef {any} Tensor */
/** @typedef {import("../workloads.js").WorkloadName} WorkloadName */

/** The value of an engine's own tensor as numbers, and nothing left behind. @param {() => Tensor} run */
const read = (run) => () => {
  const result = tf.tidy(run);
  result.dataSync();
  result.dispose();
};

/** @param {number} seed @param {number[]} shape */
const random = (seed, shape) =>
  tf.tensor(
    hashedUniform(
      seed,
      shape.reduce((size, n) => size * n, 1),
      1,
    ),
    shape,
  );

/** A network's variables in this engine's layout: `[in, out]`, filters `[height, width, in, out]`. @param {WorkloadName} name @param {"student" | "teacher"} role */
function variablesOf(name, role) {
  return layersOf(workloads[name], role).map(({ shape, weight, bias }) => {
    const axes = shape.length === 4 ? [2, 3, 1, 0] : [1, 0];
    return {
      convolves: shape.length === 4,
      w: tf.variable(tf.transpose(tf.tensor(weight, [...shape]), axes)),
      b: tf.variable(tf.tensor1d(bias)),
    };
  });
}

/** All layers' outputs, after their ReLU. @param {ReturnType<typeof variablesOf>} layers @param {Tensor} x @returns {Tensor[]} */
function outputs(layers, x) {
  /** @type {Tensor[]} */
  const all = [];
  for (const [l, { convolves, w, b }] of layers.entries()) {
    const given = all.at(-1) ?? x;
    if (convolves) {
      const maps = tf.relu(tf.add(tf.conv2d(given, w, 1, "same"), b));
      all.push(tf.maxPool(maps, 2, 2, "valid"));
    } else {
      // The weight counts channels before positions, this engine's maps positions before channels.
      const rows = given.rank === 4 ? tf.reshape(tf.transpose(given, [0, 3, 1, 2]), [x.shape[0], -1]) : given;
      const y = tf.add(tf.matMul(rows, w), b);
      all.push(l + 1 < layers.length ? tf.relu(y) : y);
    }
  }
  return all;
}

/** @param {Tensor} logits @param {Tensor} oneHot */
const crossEntropy = (logits, oneHot) => tf.neg(tf.mean(tf.sum(tf.mul(oneHot, tf.logSoftmax(logits)), 1)));

/** T² · KL(teacher ‖ student), a mean over rows. @param {Tensor} student @param {Tensor} teacher @param {number} temperature */
function softLoss(student, teacher, temperature) {
  const wanted = tf.logSoftmax(tf.div(teacher, temperature));
  const got = tf.logSoftmax(tf.div(student, temperature));
  const divergence = tf.mean(tf.sum(tf.mul(tf.exp(wanted), tf.sub(wanted, got)), 1));
  return tf.mul(divergence, temperature ** 2);
}

/** @param {WorkloadName} name */
function step(name) {
  const workload = workloads[name];
  const student = variablesOf(name, "student");
  const teacher = workload.teacher === undefined ? null : variablesOf(name, "teacher");
  const optimizer =
    workload.rule === "adam" ? tf.train.adam(1e-3, 0.9, 0.999, 1e-8) : tf.train.momentum(0.01, 0.9);
  const batches = batchesOf(workload).map(({ x, shape, labels }) => ({
    x: workload.images ? tf.tensor(x, [shape[0], 28, 28, 1]) : tf.tensor(x, [...shape]),
    labels: tf.oneHot(tf.tensor1d(labels, "int32"), 10),
  }));
  const variables = student.flatMap(({ w, b }) => [w, b]);
  let steps = 0;
  return () => {
    const { x, labels } = batches[steps++ % batches.length];
    /** @type {Tensor[]} hard, soft and feature, which are part of what a step tells */
    const parts = [];
    const loss = tf.tidy(() => {
      const taught = teacher && outputs(teacher, x);
      const total = () => {
        const own = outputs(student, x);
        const logits = own.at(-1);
        const hard = crossEntropy(logits, labels);
        if (taught === null) return hard;
        const soft = softLoss(logits, taught.at(-1), 4);
        const both = tf.add(tf.mul(hard, 0.7), tf.mul(soft, 0.3));
        parts.push(tf.keep(hard), tf.keep(soft));
        if (!workload.features) return both;
        const feature = tf.mean(tf.square(tf.sub(own[0], taught[1])));
        parts.push(tf.keep(feature));
        return tf.add(both, tf.mul(feature, 0.3));
      };
      return optimizer.minimize(total, true, variables);
    });
    const [[value]] = [loss, ...parts].map((part) => part.dataSync());
    for (const part of [loss, ...parts]) part.dispose();
    return value;
  };
}

/** @type {import("../engines/process.js").Engine} */
export default {
  version: version_wasm,
  tasks: {
    ...Object.fromEntries(workloadNames.map((name) => [name, () => step(name)])),
    ...Object.fromEntries(
      [256, 1024].map((n) => [
        `sgemm ${n}`,
        () => {
          const [a, b] = [random(1, [n, n]), random(2, [n, n])];
          return read(() => tf.matMul(a, b));
        },
      ]),
    ),
    "one sample": () => {
      const [x, w0, b0] = [random(8, [1, 784]), random(1, [784, 64]), random(2, [64])];
      const [w1, b1] = [random(3, [64, 10]), random(4, [10])];
      const fused = (/** @type {object} */ settings) => tf.fused.matMul(settings);
      return read(() => fused({ a: fused({ a: x, b: w0, bias: b0, activation: "relu" }), b: w1, bias: b1 }));
    },
    relu: () => {
      const x = random(3, [1_000_000]);
      return () => tf.relu(x).dispose();
    },
    add: () => {
      const [x, y] = [random(3, [1_000_000]), random(4, [1_000_000])];
      return () => tf.add(x, y).dispose();
    },
    sum: () => {
      const x = random(3, [1_000_000]);
      return read(() => tf.sum(x));
    },
    softmax: () => {
      const x = random(7, [128, 1000]);
      return () => tf.tidy(() => tf.softmax(x)).dispose();
    },
    adam: () => {
      const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
      const w = tf.variable(random(5, [1_000_000]));
      const g = random(6, [1_000_000]);
      return () => optimizer.applyGradients({ [w.name]: g });
    },
  },
};
