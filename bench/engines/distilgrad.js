// @ts-check
/** This package, on the tasks of the comparison. */
import { readFileSync } from "node:fs";
import { add, Linear, matmul, noGrad, ReLU, relu, Sequential, softmax, sum, tensor } from "distilgrad";
import { stepOf } from "../steps.js";
import { hashedUniform, workloadNames } from "../workloads.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const million = 1_000_000;
/** The default set, with what the first layer of a program adds to it. */
const { kernels } = new Linear(1, 1).weight;

/** @param {number} seed @param {number[]} shape */
const random = (seed, shape) =>
  tensor(
    hashedUniform(
      seed,
      shape.reduce((size, n) => size * n, 1),
      1,
    ),
    { shape },
  );

/** @param {number} n */
function product(n) {
  const [a, b] = [random(1, [n, n]), random(2, [n, n])];
  return () => noGrad(() => matmul(a, b)).data;
}

/** @type {import("./process.js").Engine} */
export default {
  version: `${version} (${kernels.name})`,
  tasks: {
    ...Object.fromEntries(
      workloadNames.map((name) => [
        name,
        () => {
          const step = stepOf(name);
          return () => step().total;
        },
      ]),
    ),
    "sgemm 256": () => product(256),
    "sgemm 1024": () => product(1024),
    "one sample": () => {
      const model = new Sequential({
        hidden: new Linear(784, 64),
        relu: new ReLU(),
        logits: new Linear(64, 10),
      });
      const x = random(8, [1, 784]);
      return () => noGrad(() => model.forward(x)).data;
    },
    relu: () => {
      const x = random(3, [million]);
      return () => noGrad(() => relu(x)).data;
    },
    add: () => {
      const [x, y] = [random(3, [million]), random(4, [million])];
      return () => noGrad(() => add(x, y)).data;
    },
    sum: () => {
      const x = random(3, [million]);
      return () => noGrad(() => sum(x)).item();
    },
    softmax: () => {
      const x = random(7, [128, 1000]);
      return () => noGrad(() => softmax(x)).data;
    },
    adam: () => {
      const [w, g, m, v] = [5, 6, 0, 0].map((seed) => {
        const values = kernels.lasting(million);
        if (seed > 0) values.set(hashedUniform(seed, million, 1));
        return values;
      });
      const settings = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0, root: 1 };
      return () => kernels.adamStep(w, g, m, v, settings);
    },
  },
};
