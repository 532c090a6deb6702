// @ts-check
/**
 * jax-js on WebAssembly, one thread. A whole step, from the batch to the new parameters, is one compiled function. Its
 * arrays count their references by hand: a function consumes what it is given, and `.ref` keeps one more.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { batchesOf, hashedUniform, layersOf, workloadNames, workloads } from "../workloads.js";

await init("wasm");
defaultDevice("wasm");

const entry = createRequire(import.meta.url).resolve("@jax-js/jax");
const { version } = JSON.parse(readFileSync(new URL("../package.json", `file://${entry}`), "utf8"));

/** @typedef {any} Arr */
/** @typedef {import("../workloads.js").WorkloadName} WorkloadName */

/** @param {Float32Array} values @param {readonly number[]} shape @returns {Arr} */
const array = (values, shape) => np.array(values).reshape([...shape]);
/** @param {number} seed @param {number[]} shape */
const random = (seed, shape) =>
  array(
    hashedUniform(
      seed,
      shape.reduce((size, n) => size * n, 1),
      1,
    ),
    shape,
  );

/** Parameters `[w, b]` of each layer; what is multiplied lies as `[in, out]`. @param {WorkloadName} name @param {"student" | "teacher"} role @returns {Arr[][]} */
function parametersOf(name, role) {
  return layersOf(workloads[name], role).map(({ shape, weight, bias }) => {
    const w = array(weight, shape);
    // Through JavaScript and back, so that the transposed matrix lies in memory as such.
    const laid = shape.length === 4 ? w : array(np.transpose(w).dataSync(), [shape[1], shape[0]]);
    return [laid, np.array(bias)];
  });
}

/** All layers' outputs, after their ReLU. Consumes its arguments. @param {Arr[][]} layers @param {Arr} x @returns {Arr[]} */
function outputs(layers, x) {
  /** @type {Arr[]} */
  const all = [];
  let given = x;
  for (const [l, [w, b]] of layers.entries()) {
    const convolves = w.shape.length === 4;
    if (!convolves && given.shape.length === 4) given = given.reshape([given.shape[0], -1]);
    const y = convolves
      ? pooled(nn.relu(lax.conv(given, w, [1, 1], "SAME").add(b.reshape([1, -1, 1, 1]))))
      : np.matmul(given, w).add(b);
    const out = convolves || l + 1 === layers.length ? y : nn.relu(y);
    all.push(out);
    given = out.ref;
  }
  given.dispose();
  return all;
}

/** The largest of each 2×2 square. @param {Arr} maps `[n, c, h, w]` */
function pooled(maps) {
  const [n, c, h, w] = maps.shape;
  return np.max(maps.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

/** @param {Arr} logits @param {Arr} oneHot */
const crossEntropy = (logits, oneHot) => nn.logSoftmax(logits).mul(oneHot).sum(-1).mean().neg();

/** T² · KL(teacher ‖ student), a mean over rows. @param {Arr} student @param {Arr} teacher @param {number} temperature */
function softLoss(student, teacher, temperature) {
  const wanted = nn.logSoftmax(teacher.div(temperature));
  const got = nn.logSoftmax(student.div(temperature));
  return np
    .exp(wanted.ref)
    .mul(wanted.sub(got))
    .sum(-1)
    .mean()
    .mul(temperature ** 2);
}

/** @param {WorkloadName} name */
function step(name) {
  const workload = workloads[name];
  const teacher = workload.teacher === undefined ? [] : parametersOf(name, "teacher");

  /** The loss, and what it is made of. @type {(student: Arr[][], teacher: Arr[][], x: Arr, oneHot: Arr) => [Arr, Arr[]]} */
  const loss = (student, taughtBy, x, oneHot) => {
    const taught = taughtBy.length === 0 ? [] : outputs(taughtBy, x.ref);
    const own = outputs(student, x);
    const logits = own[own.length - 1];
    const features = workload.features ? own[0].ref.sub(taught[1].ref) : null;
    let total = crossEntropy(logits.ref, oneHot);
    const parts = [];
    if (taughtBy.length > 0) {
      const soft = softLoss(logits.ref, taught[taught.length - 1].ref, 4);
      parts.push(total.ref, soft.ref);
      total = total.mul(0.7).add(soft.mul(0.3));
    }
    if (features !== null) {
      const feature = np.square(features).mean();
      parts.push(feature.ref);
      total = total.add(feature.mul(0.3));
    }
    for (const left of [...own, ...taught]) left.dispose();
    return [total, parts];
  };

  /** @type {any} */
  const withGradient = valueAndGrad(loss, { hasAux: true });
  /** Adam's two averages and the powers of its rates, or momentum's velocity. @type {any} */
  const run = jit((/** @type {any} */ { student, taughtBy, state, x, oneHot }) => {
    const [[value, parts], gradient] = withGradient(tree.ref(student), taughtBy, x, oneHot);
    if (workload.rule === "momentum") {
      const v = mapPairs(state.v, gradient, (/** @type {Arr} */ v, /** @type {Arr} */ g) =>
        v.mul(0.9).add(g),
      );
      return {
        value,
        parts,
        student: mapPairs(student, tree.ref(v), (w, v) => w.sub(v.mul(0.01))),
        state: { v },
      };
    }
    const [p1, p2] = [state.p1.mul(0.9), state.p2.mul(0.999)];
    const m = mapPairs(state.m, tree.ref(gradient), (m, g) => m.mul(0.9).add(g.mul(0.1)));
    const v = mapPairs(state.v, gradient, (v, g) => v.mul(0.999).add(g.ref.mul(g).mul(0.001)));
    const rate = np.array(1e-3).div(np.array(1).sub(p1.ref));
    const root = np.sqrt(np.array(1).sub(p2.ref));
    const change = mapPairs(tree.ref(m), tree.ref(v), (m, v) =>
      m.mul(rate.ref).div(np.sqrt(v).div(root.ref).add(1e-8)),
    );
    rate.dispose();
    root.dispose();
    return { value, parts, student: mapPairs(student, change, (w, d) => w.sub(d)), state: { m, v, p1, p2 } };
  });

  let student = parametersOf(name, "student");
  const zeros = () => student.map((layer) => layer.map((p) => np.zeros(p.shape)));
  /** @type {any} */
  let state =
    workload.rule === "adam" ? { m: zeros(), v: zeros(), p1: np.array(1), p2: np.array(1) } : { v: zeros() };
  const batches = batchesOf(workload).map(({ x, shape, labels }) => ({
    x: array(x, shape),
    oneHot: array(
      Float32Array.from({ length: labels.length * 10 }, (_, i) =>
        labels[Math.floor(i / 10)] === i % 10 ? 1 : 0,
      ),
      [labels.length, 10],
    ),
  }));
  let steps = 0;
  return () => {
    const { x, oneHot } = batches[steps++ % batches.length];
    const result = run({ student, taughtBy: tree.ref(teacher), state, x: x.ref, oneHot: oneHot.ref });
    student = result.student;
    state = result.state;
    const [[value]] = [result.value, ...result.parts].map((part) => part.dataSync());
    return value;
  };
}

/** Two trees of `[w, b]` pairs, leaf by leaf. @param {Arr[][]} a @param {Arr[][]} b @param {(a: Arr, b: Arr) => Arr} f @returns {Arr[][]} */
function mapPairs(a, b, f) {
  return a.map((layer, l) => layer.map((leaf, p) => f(leaf, b[l][p])));
}

/** A compiled function of arrays that stay; what it gives is read. @param {any} f @param {Arr[]} given */
function compiled(f, given) {
  const run = jit(f);
  return () => run(...given.map((x) => x.ref)).dataSync();
}

/** @type {import("../engines/process.js").Engine} */
export default {
  version,
  tasks: {
    ...Object.fromEntries(workloadNames.map((name) => [name, () => step(name)])),
    ...Object.fromEntries(
      [256, 1024].map((n) => [
        `sgemm ${n}`,
        () =>
          compiled(
            (/** @type {Arr} */ a, /** @type {Arr} */ b) => np.matmul(a, b),
            [random(1, [n, n]), random(2, [n, n])],
          ),
      ]),
    ),
    "one sample": () =>
      compiled(
        (
          /** @type {Arr} */ x,
          /** @type {Arr} */ w0,
          /** @type {Arr} */ b0,
          /** @type {Arr} */ w1,
          /** @type {Arr} */ b1,
        ) => np.matmul(nn.relu(np.matmul(x, w0).add(b0)), w1).add(b1),
        [random(8, [1, 784]), random(1, [784, 64]), random(2, [64]), random(3, [64, 10]), random(4, [10])],
      ),
    relu: () => compiled((/** @type {Arr} */ x) => nn.relu(x), [random(3, [1_000_000])]),
    add: () =>
      compiled(
        (/** @type {Arr} */ x, /** @type {Arr} */ y) => x.add(y),
        [random(3, [1_000_000]), random(4, [1_000_000])],
      ),
    sum: () => compiled((/** @type {Arr} */ x) => x.sum(), [random(3, [1_000_000])]),
    softmax: () => compiled((/** @type {Arr} */ x) => nn.softmax(x), [random(7, [128, 1000])]),
    adam: () => {
      const run = jit((/** @type {any} */ { w, g, m, v }) => {
        const m1 = m.mul(0.9).add(g.ref.mul(0.1));
        const v1 = v.mul(0.999).add(g.ref.mul(g).mul(0.001));
        const w1 = w.sub(m1.ref.div(np.sqrt(v1.ref).add(1e-8)).mul(1e-3));
        return { w: w1, m: m1, v: v1 };
      });
      const g = random(6, [1_000_000]);
      let now = { w: random(5, [1_000_000]), m: np.zeros([1_000_000]), v: np.zeros([1_000_000]) };
      return async () => {
        now = run({ ...now, g: g.ref });
        await blockUntilReady(now);
      };
    },
  },
};
