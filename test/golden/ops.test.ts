import { describe, expect, it } from "vitest";
import { KnowledgeDistillationTrainer } from "../../src/distill/index.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Linear } from "../../src/nn/linear.ts";
import * as ops from "../../src/ops/index.ts";
import { SGD } from "../../src/optim/sgd.ts";
import type { Tensor } from "../../src/tensor.ts";
import { golden, type OpCase } from "./golden.ts";

type Inputs = Readonly<Record<string, Tensor>>;
type Gradients = Readonly<Record<string, ArrayLike<number>>>;

/** What float32 rounding may do to one entry, in units of u = 2⁻²⁴. */
interface Roundings {
  readonly out: (i: number) => number;
  readonly grad: (input: string, i: number) => number;
}

/** One golden op on our engine, and how far its float32 may be from the exact numbers. */
interface OursOfOp {
  readonly name: string;
  readonly run: (inputs: Inputs, golden: OpCase) => Tensor;
  readonly roundings: (facts: Facts) => Roundings;
}

/** What a bound is made of. */
interface Facts {
  readonly golden: OpCase;
  /** The exact results, to 12 digits. */
  readonly out: readonly number[];
  readonly grads: Readonly<Record<string, readonly number[]>>;
  /**
   * The same op on the magnitudes of inputs and upstream. For an op that only adds and multiplies, these are the sums of
   * the magnitudes of all terms behind an entry, which is what a rounding error is relative to.
   */
  readonly magnitudes: { readonly out: ArrayLike<number>; readonly grads: Gradients };
  /** max |upstream| */
  readonly M: number;
  /** The last axis of the first input. */
  readonly classes: number;
  readonly rows: number;
  /** max |logit| / T */
  readonly Z: number;
  readonly T: number;
}

const u = 2 ** -24;
const labelsOf = (golden: OpCase): number[] => golden.int_inputs.y.data;

/** Computed in float64 and rounded once at the store, forward and backward. */
const once = ({ out, grads }: Facts): Roundings => ({
  out: (i) => Math.abs(out[i]),
  grad: (input, i) => Math.abs(grads[input][i]),
});

/** Forward rounded once; every gradient entry is within `units`·u. */
const onceThen =
  (units: (facts: Facts) => number) =>
  (facts: Facts): Roundings => ({ ...once(facts), grad: () => units(facts) });

/** Forward rounded once; a gradient is a product that is rounded, then a sum that is rounded. */
const broadcasting = (facts: Facts): Roundings => ({
  ...once(facts),
  grad: (input, i) => 2 * Math.abs(facts.magnitudes.grads[input][i]),
});

/** n products and n sums, each rounded: γ₍ₙ₊₁₎ Σ|terms|, and 1/(1 − nu) is below 1.001 here. */
const product =
  (lengths: (facts: Facts) => Readonly<Record<string, number>>) =>
  (facts: Facts): Roundings => ({
    out: (i) => 1.001 * (lengths(facts).out + 1) * facts.magnitudes.out[i],
    grad: (input, i) => 1.001 * (lengths(facts)[input] + 1) * facts.magnitudes.grads[input][i],
  });

/** The golden op reduces axis `dim`; ours, which work along the last axis, get it there. */
function lastAxis(x: Tensor, dim: number): Tensor {
  return dim === x.shape.length - 1 ? x : ops.transpose(x);
}

const scaled = (x: Tensor, T: number): Tensor => ops.scale(x, 1 / T);

/** Only the loss is asked of it. */
function trainerFor({ attrs }: OpCase, kernels: Kernels): KnowledgeDistillationTrainer {
  const student = new Linear(1, 1, { kernels });
  return new KnowledgeDistillationTrainer({
    student,
    teacher: (x) => x,
    optimizer: new SGD(student.parameters(), { learningRate: 0 }),
    temperature: attrs.T!,
    alpha: attrs.alpha!,
  });
}

const ours: Readonly<Record<string, readonly OursOfOp[]>> = {
  softmax: [
    {
      name: "softmax",
      run: ({ x }) => ops.softmax(x),
      // dx = y (dy − ⟨dy, y⟩) from rounded y ≤ 1: u|y|·2M for y outside, u·M for y in the dot product, u·2M at the store.
      roundings: onceThen(({ M }) => 5 * M),
    },
  ],
  log_softmax: [
    {
      name: "logSoftmax",
      run: ({ x }) => ops.logSoftmax(x),
      // dx = dy − exp(y) Σ dy from rounded y ≤ 0: exp(y)·|y| ≤ 1/e times |Σ dy| ≤ classes·M, then the store.
      roundings: onceThen(({ M, classes }) => (classes / Math.E + classes + 1) * M),
    },
  ],
  cross_entropy: [
    {
      name: "crossEntropy",
      run: ({ x }, golden) => ops.crossEntropy(x, labelsOf(golden)),
      roundings: once,
    },
  ],
  kl_div_batchmean: [
    {
      name: "softTargetLoss",
      run: ({ student, teacher }, { attrs }) =>
        ops.softTargetLoss(student, teacher.detach(), { temperature: attrs.T! }),
      roundings: once,
    },
    {
      name: "T² klDiv(logSoftmax(z / T), softmax(v / T))",
      run: ({ student, teacher }, { attrs: { T = 1 } }) =>
        ops.scale(
          ops.klDiv(ops.logSoftmax(scaled(student, T)), ops.softmax(scaled(teacher.detach(), T))),
          T * T,
        ),
      // With L = log classes: z/T is off by uZ, log p by 2uZ and, rounded, by u(2Z + L) more; q by a factor 1 + 2uZ + u.
      // KL = Σ q (log q − log p), where |log q|, |log p| ≤ 2Z + L; product and loss are rounded as well.
      roundings: ({ out, T, Z, classes, rows }) => {
        const L = Math.log(classes);
        const logP = 4 * Z + L;
        return {
          out: (i) => T * T * (logP + (2 * Z + 1) * (4 * Z + 2 * L + 1)) + 2 * Math.abs(out[i]),
          // dz = T² q/rows through p: q is off by 2Z + 1, p = exp(log p) by 4Z + L, Σ q by both; six stores round.
          grad: () => (T / rows) * (2 * (2 * Z + 1) + 4 * Z + L + 6 + classes),
        };
      },
    },
  ],
  kd_total: [
    {
      name: "KnowledgeDistillationTrainer.distillationLoss",
      run: ({ student, teacher }, golden) =>
        trainerFor(golden, student.kernels).distillationLoss(student, teacher.detach(), labelsOf(golden))
          .total,
      // hard, soft, α·hard, (1 − α)·soft and their sum are rounded; none is negative.
      roundings: ({ out, T, rows }) => ({
        out: (i) => 3.001 * Math.abs(out[i]),
        // α (p − onehot)/rows and (1 − α) T (p − q)/rows: α is rounded, each term and their sum too.
        grad: () => (3.001 * (0.7 + 0.3 * T)) / rows,
      }),
    },
  ],
  mse_loss: [{ name: "mse", run: ({ a, b }) => ops.mse(a, b), roundings: once }],
  linear: [
    {
      name: "linear",
      run: ({ x, weight, bias }) => ops.linear(x, weight, bias),
      roundings: product(({ classes: inputs, rows, golden }) => ({
        out: inputs,
        x: golden.out_shape[1],
        weight: rows,
        bias: 0,
      })),
    },
  ],
  matmul: [
    {
      name: "matmul",
      run: ({ a, b }) => ops.matmul(a, b),
      roundings: product(({ classes: k, rows: m, golden }) => ({ out: k, a: golden.out_shape[1], b: m })),
    },
  ],
  layer_norm: [
    {
      name: "layerNorm",
      run: ({ x, weight, bias }, { attrs }) => ops.layerNorm(x, { weight, bias, epsilon: attrs.eps }),
      roundings: once,
    },
  ],
  batch_norm_train: [
    {
      name: "batchNorm",
      run: ({ x, weight, bias }, { attrs }) => ops.batchNorm(x, { weight, bias, epsilon: attrs.eps }),
      roundings: once,
    },
  ],
  conv2d: [
    {
      name: "conv2d",
      run: ({ x, weight, bias }, { attrs: { stride, padding } }) =>
        ops.conv2d(x, weight, bias, { stride, padding }),
      // dx sums over the channels out, then over the taps.
      roundings: product(({ golden: { inputs, out_shape } }) => {
        const [outputs, ...kernel] = inputs.weight.shape;
        const taps = kernel[1] * kernel[2];
        return {
          out: kernel[0] * taps,
          x: outputs + taps,
          weight: out_shape[0] * out_shape[2] * out_shape[3],
          bias: 0,
        };
      }),
    },
  ],
  max_pool2d: [
    {
      name: "maxPool2d",
      run: ({ x }, { attrs: { kernel, stride } }) => ops.maxPool2d(x, { size: kernel!, stride }),
      roundings: () => ({ out: () => 0, grad: () => 0 }), // windows side by side: nothing is added
    },
  ],
  avg_pool2d: [
    {
      name: "avgPool2d",
      run: ({ x }, { attrs: { kernel, stride } }) => ops.avgPool2d(x, { size: kernel!, stride }),
      roundings: once,
    },
  ],
  // No rounding at all.
  relu: [{ name: "relu", run: ({ x }) => ops.relu(x), roundings: () => ({ out: () => 0, grad: () => 0 }) }],
  // dx = y (1 − y) dy from rounded y: u y (1 − y) ≤ u/4 and y·u y ≤ u, then the store of at most 1/4.
  sigmoid: [{ name: "sigmoid", run: ({ x }) => ops.sigmoid(x), roundings: onceThen(({ M }) => 1.5 * M) }],
  // dx = (1 − y)(1 + y) dy from rounded y: 2 |y| u, then the store.
  tanh: [{ name: "tanh", run: ({ x }) => ops.tanh(x), roundings: onceThen(({ M }) => 3 * M) }],
  exp: [
    {
      name: "exp",
      run: ({ x }) => ops.exp(ops.clamp(x, { min: -80, max: 80 })),
      // dx = y dy from rounded y, rounded.
      roundings: (facts) => ({
        ...once(facts),
        grad: (input, i) => 2.001 * Math.abs(facts.grads[input][i]),
      }),
    },
  ],
  log: [{ name: "log", run: ({ x }) => ops.log(x), roundings: once }],
  square: [
    {
      name: "square",
      run: ({ x }) => ops.square(ops.clamp(x, { min: -1000, max: 1000 })),
      roundings: once,
    },
  ],
  // No rounding at all.
  abs: [{ name: "abs", run: ({ x }) => ops.abs(x), roundings: () => ({ out: () => 0, grad: () => 0 }) }],
  sqrt: [{ name: "sqrt", run: ({ x }) => ops.sqrt(x), roundings: once }],
  reciprocal: [{ name: "reciprocal", run: ({ x }) => ops.reciprocal(x), roundings: once }],
  // PyTorch's is x beyond 20, which is off by e^−x: for the 100 and the 10⁴ that lie there that is below 4e-44.
  softplus: [{ name: "softplus", run: ({ x }) => ops.softplus(x), roundings: once }],
  leaky_relu: [{ name: "leakyRelu", run: ({ x }) => ops.leakyRelu(x), roundings: once }],
  elu: [{ name: "elu", run: ({ x }) => ops.elu(x), roundings: once }],
  silu: [{ name: "silu", run: ({ x }) => ops.silu(x), roundings: once }],
  gelu: [{ name: "gelu", run: ({ x }) => ops.gelu(x), roundings: once }],
  gelu_tanh: [
    { name: "gelu by tanh", run: ({ x }) => ops.gelu(x, { approximation: "tanh" }), roundings: once },
  ],
  add: [{ name: "add", run: ({ a, b }) => ops.add(a, b), roundings: broadcasting }],
  sub: [{ name: "sub", run: ({ a, b }) => ops.sub(a, b), roundings: broadcasting }],
  mul: [{ name: "mul", run: ({ a, b }) => ops.mul(a, b), roundings: broadcasting }],
  div: [{ name: "div", run: ({ a, b }) => ops.div(a, b), roundings: broadcasting }],
  sum: [{ name: "sum", run: ({ x }, { attrs }) => ops.sum(x, attrs.dim), roundings: once }],
  mean: [{ name: "mean", run: ({ x }, { attrs }) => ops.mean(x, attrs.dim), roundings: once }],
  // One of the values, and a gradient that moves: no rounding at all.
  amax: [
    {
      name: "max",
      run: ({ x }, { attrs }) => ops.max(x, attrs.dim),
      roundings: () => ({ out: () => 0, grad: () => 0 }),
    },
  ],
  logsumexp: [
    {
      name: "logSumExp",
      run: ({ x }, { attrs }) => ops.logSumExp(lastAxis(x, attrs.dim!)),
      roundings: once,
    },
  ],
};

/** PyTorch's amax spreads the gradient evenly over equal maxima, where `max` gives it to the first. */
const isTieOfAmax = ({ op, tag }: OpCase): boolean => op === "amax" && tag.startsWith("ties");

const { cases: all } = golden("ops");
const cases = all.filter((one) => !isTieOfAmax(one));
const names = [...new Set(cases.map(({ op }) => op))];

interface Result {
  readonly out: ArrayLike<number>;
  readonly grads: Gradients;
}

/** Forward, and backward with the upstream gradient. */
function resultOf(run: OursOfOp["run"], golden: OpCase, kernels: Kernels, of = (x: number) => x): Result {
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, { shape, data }]) => [
      name,
      tensor(
        Float64Array.from(data, (x) => of(Math.fround(x))),
        { shape, kernels, requiresGrad: true },
      ),
    ]),
  );
  const out = run(inputs, golden);
  expect(out.shape).toEqual(golden.out_shape);
  const upstream = Float64Array.from(golden.upstream, (x) => of(Math.fround(x)));
  out.backward(tensor(upstream, { shape: golden.out_shape, kernels }));
  const grads = Object.fromEntries(
    Object.keys(golden.grads).map((name) => [name, inputs[name].grad!.data] as const),
  );
  return { out: out.data, grads };
}

function factsOf(run: OursOfOp["run"], golden: OpCase): Facts {
  const [first] = Object.values(golden.inputs);
  const classes = first.shape[first.shape.length - 1];
  const T = golden.attrs.T ?? 1;
  const logits = Object.values(golden.inputs).flatMap(({ data }) => data);
  return {
    golden,
    out: golden.out64,
    grads: golden.grads64,
    magnitudes: resultOf(run, golden, float64, Math.abs),
    M: Math.max(...golden.upstream.map(Math.abs)),
    classes,
    rows: first.data.length / classes,
    T,
    Z: Math.max(...logits.map(Math.abs)) / T,
  };
}

type Bound = (facts: Facts, units: number, exact: number) => number;

/** Half a unit of the twelfth digit, which is how exactly the float64 numbers are known. */
const printed = (exact: number): number => 5e-12 * Math.abs(exact);

/**
 * Two float64 engines: twice the roundings of one with 2⁻⁵³ for 2⁻²⁴, and what float32 hides in its single rounding: sums
 * of up to `classes` terms, and logits up to Z whose differences, and the exponentials of them, are off by Z·2⁻⁵³. All of
 * it is relative to losses of order Z·T² and gradients of order T and M.
 */
const inFloat64: Bound = ({ classes, Z, T, M }, units, exact) =>
  printed(exact) + 2 ** -52 * units + 2 ** -52 * (classes + 8 + Z) * Math.max(T * T, 1) * M;

/** One float32 engine against the exact number; half the smallest subnormal is what a store to zero may lose. */
const inFloat32: Bound = (facts, units, exact) =>
  u * units * (1 + 2 ** -10) + 2 ** -150 + inFloat64(facts, units, exact);

/** Every entry that is out of its bound, in words. */
function violations(
  run: OursOfOp["run"],
  roundings: OursOfOp["roundings"],
  golden: OpCase,
  kernels: Kernels,
  bound: Bound,
): string[] {
  const facts = factsOf(run, golden);
  const allowed = roundings(facts);
  const got = resultOf(run, golden, kernels);
  const found: string[] = [];
  const compare = (
    what: string,
    values: ArrayLike<number>,
    exact: readonly number[],
    units: (i: number) => number,
  ): void => {
    expect(values.length, what).toBe(exact.length);
    for (const [i, wanted] of exact.entries()) {
      const difference = Math.abs(values[i] - wanted);
      const limit = bound(facts, units(i), wanted);
      if (!(difference <= limit)) {
        found.push(
          `${golden.tag} ${JSON.stringify(golden.attrs)} ${what}[${i}]: ${values[i]}, not ${wanted} ± ${limit}`,
        );
      }
    }
  };
  compare("out", got.out, golden.out64, allowed.out);
  for (const [name, exact] of Object.entries(golden.grads64)) {
    compare(`d${name}`, got.grads[name], exact, (i) => allowed.grad(name, i));
  }
  return found;
}

describe("PyTorch's golden ops", () => {
  it("are all compared", () => {
    expect(names.filter((name) => !(name in ours))).toEqual([]);
    expect(Object.keys(ours).filter((name) => !names.includes(name))).toEqual([]);
    expect(cases.filter(({ op }) => op in ours)).toHaveLength(155);
  });

  const pairs = Object.entries(ours).flatMap(([op, list]) =>
    list.map((mine) => ({ op, mine: mine.name, ...mine })),
  );

  it.each(pairs)("$op: $mine gives its values and gradients in float64", ({ op, run, roundings }) => {
    for (const golden of cases.filter((one) => one.op === op)) {
      expect(violations(run, roundings, golden, float64, inFloat64)).toEqual([]);
    }
  });

  it.each(pairs)("$op: $mine is within its roundings of them in float32", ({ op, run, roundings }) => {
    for (const golden of cases.filter((one) => one.op === op)) {
      expect(violations(run, roundings, golden, float32, inFloat32)).toEqual([]);
    }
  });

  // That every entry is within its bound of PyTorch's float32 as well, widened by PyTorch's own error, follows. This does
  // not: relative to the largest entry of each result, ours errs less in total. The products sum in ascending order, where PyTorch sums in blocks; the textbook
  // divergence loses what its inputs lose.
  const exact = pairs.filter(
    ({ mine }) => !["linear", "matmul", "conv2d"].includes(mine) && !mine.startsWith("T²"),
  );

  it.each(exact)("$op: $mine errs no more in float32 than PyTorch does", ({ op, run }) => {
    let [own, theirs] = [0, 0];
    for (const golden of cases.filter((one) => one.op === op)) {
      const got = resultOf(run, golden, float32);
      const add = (values: ArrayLike<number>, torch: readonly number[], truth: readonly number[]): void => {
        const scale = Math.max(...truth.map(Math.abs), 2 ** -126);
        for (const [i, value] of truth.entries()) {
          own += Math.max(0, Math.abs(values[i] - value) - printed(value)) / scale;
          theirs += (Math.abs(torch[i] - value) + printed(value)) / scale;
        }
      };
      add(got.out, golden.out, golden.out64);
      for (const name of Object.keys(golden.grads)) {
        add(got.grads[name], golden.grads[name], golden.grads64[name]);
      }
    }
    expect(own).toBeLessThanOrEqual(theirs);
  });

  it("amax differs where maxima are equal: there the gradients of its entries are gathered at the first", () => {
    const ties = all.filter(isTieOfAmax);
    expect(ties.map(({ inputs }) => inputs.x)).toEqual([{ shape: [2, 3], data: [1, 1, 0, 2, 2, 2] }]);
    const [tie] = ties;
    const { out, grads } = resultOf(ours.amax[0].run, tie, float32);
    expect(Array.from(out)).toEqual(tie.out);
    const [first, second] = tie.upstream.map(Math.fround);
    // + 0: PyTorch's zero is −0 there.
    expect(tie.grads.x.map((g) => Math.fround(g) + 0)).toEqual(
      [first / 2, first / 2, 0, second / 3, second / 3, second / 3].map(Math.fround),
    );
    expect([...Float32Array.from(grads.x)]).toEqual([first, 0, 0, second, 0, 0]);
  });
});
