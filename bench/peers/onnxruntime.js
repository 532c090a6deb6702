// @ts-check
/** onnxruntime-node, one thread: an inference engine, so it predicts and multiplies but takes no steps. */
import { createRequire } from "node:module";
import ort from "onnxruntime-node";
import { hashedUniform, workloadNames } from "../workloads.js";

const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json");

/** A number of the Protocol Buffers format. @param {number} n @returns {number[]} */
const number = (n) => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...number(Math.floor(n / 0x80))]);
/** @param {number} id @param {number} value */
const int = (id, value) => [...number(id << 3), ...number(value)];
/** Text, bytes, or a message within a message. @param {number} id @param {string | number[]} content */
const field = (id, content) => {
  const bytes = typeof content === "string" ? [...Buffer.from(content)] : content;
  return [...number((id << 3) | 2), ...number(bytes.length), ...bytes];
};

/**
 * An ONNX model: every value is given from outside or made by one node. Field numbers are those of onnx.proto.
 *
 * @param {Record<string, number[]>} inputs shapes
 * @param {[op: string, inputs: string[], output: string][]} nodes
 * @param {number[]} outputShape of the last node
 */
function model(inputs, nodes, outputShape) {
  const value = (/** @type {string} */ name, /** @type {number[]} */ shape) => {
    const dimensions = shape.flatMap((size) => field(1, int(1, size)));
    return [...field(1, name), ...field(2, field(1, [...int(1, 1), ...field(2, dimensions)]))];
  };
  const graph = [
    ...nodes.flatMap(([op, given, output]) =>
      field(1, [...given.flatMap((name) => field(1, name)), ...field(2, output), ...field(4, op)]),
    ),
    ...field(2, "graph"),
    ...Object.entries(inputs).flatMap(([name, shape]) => field(11, value(name, shape))),
    ...field(12, value(nodes[nodes.length - 1][2], outputShape)),
  ];
  return Uint8Array.from([...int(1, 8), ...field(7, graph), ...field(8, int(2, 13))]);
}

/**
 * A task that runs a model on hashed numbers.
 *
 * @param {Record<string, number[]>} inputs @param {[op: string, inputs: string[], output: string][]} nodes @param {number[]} outputShape
 */
const task = (inputs, nodes, outputShape) => async () => {
  const session = await ort.InferenceSession.create(model(inputs, nodes, outputShape), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, new ort.Tensor("float32", hashedUniform(i + 1, size, 1), shape)];
    }),
  );
  return async () => {
    await session.run(given);
  };
};

const cannot = () => {
  throw new Error("it takes no training steps");
};
const million = 1_000_000;

/** @type {import("../engines/process.js").Engine} */
export default {
  version,
  tasks: {
    ...Object.fromEntries(workloadNames.map((name) => [name, cannot])),
    ...Object.fromEntries(
      [256, 1024].map((n) => [
        `sgemm ${n}`,
        task({ a: [n, n], b: [n, n] }, [["MatMul", ["a", "b"], "c"]], [n, n]),
      ]),
    ),
    "one sample": task(
      { x: [1, 784], w0: [784, 64], b0: [64], w1: [64, 10], b1: [10] },
      [
        ["Gemm", ["x", "w0", "b0"], "hidden"],
        ["Relu", ["hidden"], "active"],
        ["Gemm", ["active", "w1", "b1"], "logits"],
      ],
      [1, 10],
    ),
    relu: task({ x: [million] }, [["Relu", ["x"], "y"]], [million]),
    add: task({ a: [million], b: [million] }, [["Add", ["a", "b"], "y"]], [million]),
    softmax: task({ x: [128, 1000] }, [["Softmax", ["x"], "y"]], [128, 1000]),
    adam: cannot,
  },
};
