// @ts-check
/**
 * The workloads that every engine is measured on: their sizes, their weights and their data, as plain typed arrays. All
 * numbers come from a hash that is bit-exact in any language, so each engine starts from the same bits. Knows no engine.
 */

/**
 * @typedef {object} Workload
 * @property {number} index seeds of weights and data are counted from 10,000 times this
 * @property {string} says what a step is, in a line
 * @property {readonly number[]} student widths, from inputs to classes
 * @property {readonly number[]} [teacher] widths; left out where there is none
 * @property {number} batch
 * @property {"adam" | "momentum"} rule Adam at 1e-3, or gradient descent at 0.01 with momentum 0.9
 * @property {boolean} [images] whether the student is the convolutional one
 * @property {boolean} [features] whether the student's first hidden layer imitates the teacher's second
 */

/** @type {Readonly<Record<"W1" | "W2" | "W3" | "W4" | "W5" | "W6", Workload>>} */
export const workloads = {
  W1: {
    index: 321,
    says: "64-32-10 taught by 64-128-128-10, batch 32, Adam",
    student: [64, 32, 10],
    teacher: [64, 128, 128, 10],
    batch: 32,
    rule: "adam",
  },
  W2: {
    index: 572,
    says: "784-64-10 taught by 784-256-256-10, batch 64, Adam",
    student: [784, 64, 10],
    teacher: [784, 256, 256, 10],
    batch: 64,
    rule: "adam",
  },
  W3: {
    index: 3,
    says: "784-800-800-10 taught by 784-1200-1200-10, batch 128, momentum",
    student: [784, 800, 800, 10],
    teacher: [784, 1200, 1200, 10],
    batch: 128,
    rule: "momentum",
  },
  W4: {
    index: 4,
    says: "784-1200-1200-10, cross-entropy, batch 128, Adam",
    student: [784, 1200, 1200, 10],
    batch: 128,
    rule: "adam",
  },
  W5: {
    index: 195,
    says: "784-64-10 taught by 784-256-64-10 and its features, batch 64, Adam",
    student: [784, 64, 10],
    teacher: [784, 256, 64, 10],
    batch: 64,
    rule: "adam",
    features: true,
  },
  W6: {
    index: 6,
    says: "28×28: two convolutions 3×3 (8, 16), cross-entropy, batch 64, Adam",
    student: [784, 10],
    batch: 64,
    rule: "adam",
    images: true,
  },
};

/** @typedef {keyof typeof workloads} WorkloadName */

export const workloadNames = /** @type {WorkloadName[]} */ (Object.keys(workloads));

/** A bijection of 32-bit words in which each bit of x reaches every bit of the result. @param {number} x */
function hash32(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** @param {number} seed */
const keyOf = (seed) => hash32(Math.imul(seed, 0x9e3779b9) + 12345);

/**
 * `count` float32 numbers, uniform in [shift − scale, shift + scale).
 *
 * @param {number} seed @param {number} count @param {number} scale @param {number} [shift]
 */
export function hashedUniform(seed, count, scale, shift = 0) {
  const key = keyOf(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = (hash32(i + key) / 2 ** 31 - 1) * scale + shift;
  return values;
}

/** `count` class labels. @param {number} seed @param {number} count @param {number} classes */
function hashedLabels(seed, count, classes) {
  const key = keyOf(seed);
  return Int32Array.from({ length: count }, (_, i) => hash32(i + key) % classes);
}

/**
 * @typedef {object} LayerValues
 * @property {readonly number[]} shape of the weight: `[out, in]`, or `[out, in, 3, 3]`
 * @property {Float32Array} weight
 * @property {Float32Array} bias
 */

/** The shapes of a network's weights. @param {Workload} workload @param {"student" | "teacher"} role */
function weightShapes(workload, role) {
  if (workload.images) {
    return [
      [8, 1, 3, 3],
      [16, 8, 3, 3],
      [10, 16 * 7 * 7],
    ];
  }
  const widths = workload[role];
  if (widths === undefined) throw new Error("this workload has no teacher");
  return widths.slice(1).map((out, l) => [out, widths[l]]);
}

/**
 * The first values of a network. A student's lie within 1/√in; a teacher's weights within √(6/in) and its biases within
 * 0.1.
 *
 * @param {Workload} workload
 * @param {"student" | "teacher"} role
 * @returns {LayerValues[]}
 */
export function layersOf(workload, role) {
  const seed = workload.index * 10_000 + (role === "teacher" ? 1001 : 1);
  return weightShapes(workload, role).map((shape, l) => {
    const [out, ...rest] = shape;
    const fanIn = rest.reduce((product, size) => product * size, 1);
    const [scale, biasScale] =
      role === "teacher" ? [Math.sqrt(6 / fanIn), 0.1] : [1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)];
    return {
      shape,
      weight: hashedUniform(seed + 2 * l, out * fanIn, scale),
      bias: hashedUniform(seed + 2 * l + 1, out, biasScale),
    };
  });
}

/**
 * The four batches that the steps take in turn.
 *
 * @param {Workload} workload
 * @returns {{ x: Float32Array, shape: readonly number[], labels: Int32Array }[]}
 */
export function batchesOf({ index, batch, student, images }) {
  return [0, 1, 2, 3].map((k) => ({
    x: hashedUniform(index * 10_000 + 5000 + 2 * k, batch * student[0], 0.5, 0.5),
    shape: images ? [batch, 1, 28, 28] : [batch, student[0]],
    labels: hashedLabels(index * 10_000 + 5001 + 2 * k, batch, student[student.length - 1]),
  }));
}

/**
 * Multiplications and additions of the products in a step: forward, into the weights, and into what each layer but the
 * first was given; of a teacher, forward only.
 *
 * @param {Workload} workload
 */
export function flopOf(workload) {
  const products = (/** @type {"student" | "teacher"} */ role) =>
    weightShapes(workload, role).map((shape, l) => {
      const positions = workload.images ? [28 * 28, 14 * 14, 1][l] : 1;
      return 2 * workload.batch * positions * shape.reduce((product, size) => product * size, 1);
    });
  const [first, ...later] = products("student");
  const taught = workload.teacher === undefined ? [] : products("teacher");
  return [2 * first, ...later.map((flop) => 3 * flop), ...taught].reduce((total, flop) => total + flop, 0);
}
