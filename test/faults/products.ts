/** Floor 2: products, convolutions and poolings. */
import { type Fault, ofOp } from "./fault.ts";

export const productFaults: readonly Fault[] = [
  {
    name: "linear-weight-gradient-transposed",
    file: "src/ops/linear.ts",
    from: "k.matmulTransposedA(dw, dy, x.data, outputs, rows, inputs)",
    to: "k.matmulTransposedA(dw, x.data, dy, inputs, rows, outputs)",
    ...ofOp("linear"),
  },
  {
    name: "linear-bias-gradient-of-first-row",
    file: "src/ops/linear.ts",
    from: "k.sumRows(db, dy, rows)",
    to: "k.sumRows(db, dy, Math.min(rows, 1))",
    ...ofOp("linear"),
  },
  {
    name: "matmul-batch-not-shared",
    file: "src/ops/matmul.ts",
    from: "matrix(b, bOf[i], k * n)",
    to: "matrix(b, i, k * n)",
    ...ofOp("matmul"),
  },
  {
    name: "matmul-transposed-gradient",
    file: "src/ops/matmul.ts",
    from: "kernels.matmulTransposedA(db, dy, a, n, rows, k)",
    to: "kernels.matmulTransposedA(db, a, dy, k, rows, n)",
    ...ofOp("matmul"),
  },
  {
    name: "windows-reach",
    file: "src/ops/windows.ts",
    from: "const reach = dilation * (taps - 1) + 1;",
    to: "const reach = dilation * taps;",
    ...ofOp("conv2d"),
  },
  {
    name: "windows-padded-on-one-side",
    file: "src/ops/windows.ts",
    from: "const room = length + 2 * padding;",
    to: "const room = length + padding;",
    ...ofOp("conv1d"),
  },
  {
    name: "windows-count",
    file: "src/ops/windows.ts",
    from: "return Math.floor((room - reach) / stride) + 1;",
    to: "return Math.ceil((room - reach) / stride) + 1;",
    ...ofOp("maxPool2d"),
  },
  {
    name: "conv-transpose-output-padding",
    file: "src/ops/conv-transpose2d.ts",
    from: "d * (count - 1) + more + 1",
    to: "d * (count - 1) + 1",
    ...ofOp("convTranspose2d"),
  },
  {
    name: "conv-transpose-weight-gradient",
    file: "src/ops/conv-transpose2d.ts",
    from: "addWeight(dw, x.data, dy, geometry)",
    to: "addWeight(dw, dy, x.data, geometry)",
    ...ofOp("convTranspose2d"),
  },
  {
    name: "avg-pool-gradient-of-padding",
    file: "src/ops/span-means.ts",
    from: "const share = dy[at] / (count ?? rows * (end - first));",
    to: "const share = dy[at] / (rows * (end - first));",
    ...ofOp("avgPool2d"),
  },
  {
    name: "adaptive-pool-end",
    file: "src/ops/adaptive-avg-pool2d.ts",
    from: "(o) => Math.ceil(((o + 1) * length) / count)",
    to: "(o) => Math.floor(((o + 1) * length) / count)",
    ...ofOp("adaptiveAvgPool2d"),
  },
  {
    name: "pool-span-starts-late",
    file: "src/ops/spans.ts",
    from: "first: Int32Array.from({ length: count }, (_, o) => Math.max(first(o), 0)),",
    to: "first: Int32Array.from({ length: count }, (_, o) => Math.max(first(o), 1)),",
    ...ofOp("avgPool2d"),
  },
];
