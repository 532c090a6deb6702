/**
 * Gradients of random graphs: up to 30 ops of many kinds, with values that are used several times and branches that
 * nobody uses, in float64. Two oracles say what the gradient is, each with a tolerance that is derived:
 *
 * Dual numbers carry a derivative forwards, in arithmetic of their own, with a running error bound (see
 * `support/bounded-duals.ts`). Backward multiplies the same partial derivatives along the same paths in another order.
 * Its errors of the partial derivatives have the same bound; its roundings are one for each step of a path, so their sum
 * is at most γₙ Σ |products of partial derivatives| where n counts all roundings that a path can meet.
 *
 * A tree has a copy of its own for every use of a value; the gradient of an input is the sum over its copies. Its values
 * have the same bits, so only the roundings on the way back may differ.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensor } from "../src/factories.ts";
import { float64 } from "../src/kernels/float64.ts";
import * as ops from "../src/ops/index.ts";
import { type Shape, sizeOf } from "../src/shape.ts";
import type { Tensor } from "../src/tensor.ts";
import { broadcastIndex } from "./ops/reference.ts";
import { gamma } from "./ops/spec.ts";
import { in64, type Operand, operand } from "./support/arbitraries.ts";
import type { Dual } from "./support/bounded-duals.ts";
import * as dual from "./support/bounded-duals.ts";

const deep = process.env.DISTILGRAD_DEEP !== undefined;
const runs = { seed: 1, numRuns: deep ? 5000 : 150 };

/** Values of a graph in dual numbers, row-major. */
interface Duals {
  readonly shape: Shape;
  readonly values: readonly Dual[];
}

/** One op with its settings: with tensors, and with dual numbers. */
interface Step {
  readonly name: string;
  readonly arity: 1 | 2;
  readonly tensors: (a: Tensor, b: Tensor) => Tensor;
  readonly duals: (a: Duals, b: Duals) => Duals;
}

/** An op for these operands, with settings made of a drawn number; null where they do not fit. */
type Kind = (a: Duals, b: Duals, drawn: number) => Omit<Step, "name"> | null;

const numbers = ({ values }: Duals): number[] => values.map(({ value }) => value);
const sizes = (x: Duals): number[] => numbers(x).map(Math.abs);
const map = ({ shape, values }: Duals, f: (x: Dual) => Dual): Duals => ({ shape, values: values.map(f) });

/** A function of each value, where the operand is within its limits. */
const unary =
  (op: (x: Tensor) => Tensor, f: (x: Dual) => Dual, fits: (a: Duals) => boolean = () => true): Kind =>
  (a) =>
    fits(a) ? { arity: 1, tensors: op, duals: (x) => map(x, f) } : null;

/** What two shapes broadcast to, or null. */
function common(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const padded = [a, b].map((shape) => [...new Array<number>(rank - shape.length).fill(1), ...shape]);
  const joint = padded[0]!.map((size, i) => (size === 1 ? padded[1]![i]! : size));
  return padded.every((shape) => shape.every((size, i) => size === 1 || size === joint[i])) ? joint : null;
}

const binary =
  (
    op: (a: Tensor, b: Tensor) => Tensor,
    f: (a: Dual, b: Dual) => Dual,
    fits: (b: Duals) => boolean = () => true,
  ): Kind =>
  (a, b) => {
    const shape = common(a.shape, b.shape);
    if (shape === null || !fits(b)) return null;
    const pick = (x: Duals, i: number): Dual => x.values[broadcastIndex(i, shape, x.shape)]!;
    return {
      arity: 2,
      tensors: op,
      duals: (x, y) => ({
        shape,
        values: Array.from({ length: sizeOf(shape) }, (_, i) => f(pick(x, i), pick(y, i))),
      }),
    };
  };

/** Values by where they come from: an entry of the result is the entry `from(index)` of the operand. */
function moved(x: Duals, shape: Shape, from: (index: number[]) => number[]): Duals {
  const values = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const index = shape.map((size, axis) => Math.floor(i / sizeOf(shape.slice(axis + 1))) % size);
    return x.values[from(index).reduce((flat, at, axis) => flat * x.shape[axis]! + at, 0)]!;
  });
  return { shape, values };
}

const movement = (tensors: (x: Tensor) => Tensor, shape: Shape, from: (index: number[]) => number[]) =>
  ({ arity: 1, tensors, duals: (x: Duals) => moved(x, shape, from) }) as const;

/** A function of each row along the last axis, with as many results or, where it shortens, with one. */
const rowwise =
  (op: (x: Tensor) => Tensor, f: (row: Dual[]) => Dual[], shortens = false): Kind =>
  ({ shape }) => {
    const cols = shape.at(-1);
    if (cols === undefined) return null;
    return {
      arity: 1,
      tensors: op,
      duals: ({ values }) => ({
        shape: shortens ? shape.slice(0, -1) : shape,
        values: values.flatMap((_, i) => (i % cols === 0 ? f(values.slice(i, i + cols)) : [])),
      }),
    };
  };

/** exp(x − c) of a row, and their sum; c is the largest number as a constant. */
function powers(row: readonly Dual[]): { powers: Dual[]; total: Dual; top: Dual } {
  const top = dual.constant(Math.max(...row.map(({ value }) => value)));
  const powers = row.map((x) => dual.exp(dual.sub(x, top)));
  return { powers, total: dual.sum(powers), top };
}

const reduction =
  (op: typeof ops.sum, average: boolean): Kind =>
  ({ shape }, _, drawn) => {
    const axis = drawn % (shape.length + 1);
    const axes = axis === shape.length ? shape.map((_, i) => i) : [axis];
    const keepAxes = drawn % 2 === 0;
    const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const result = keepAxes ? kept : shape.filter((_, i) => !axes.includes(i));
    return {
      arity: 1,
      tensors: (x) => op(x, axes, { keepAxes }),
      duals: ({ values }) => {
        const groups: Dual[][] = Array.from({ length: sizeOf(kept) }, () => []);
        for (const [i, x] of values.entries()) groups[broadcastIndex(i, shape, kept)]!.push(x);
        const share = average ? sizeOf(kept) / sizeOf(shape) : 1;
        return { shape: result, values: groups.map((group) => dual.scale(share, dual.sum(group))) };
      },
    };
  };

const product =
  (transposeB: boolean): Kind =>
  (a, b) => {
    if (a.shape.length !== 2 || b.shape.length !== 2) return null;
    const [m, k] = a.shape as [number, number];
    const [inner, n] = (transposeB ? [...b.shape].reverse() : b.shape) as [number, number];
    if (inner !== k) return null;
    return {
      arity: 2,
      tensors: (x, y) => ops.matmul(x, y, { transposeB }),
      duals: (x, y) => ({
        shape: [m, n],
        values: Array.from({ length: m * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          const terms = Array.from({ length: k }, (_, p) =>
            dual.mul(x.values[i * k + p]!, y.values[transposeB ? j * k + p : p * n + j]!),
          );
          return dual.sum(terms);
        }),
      }),
    };
  };

const kinds: Record<string, Kind> = {
  add: binary(ops.add, dual.add),
  sub: binary(ops.sub, dual.sub),
  mul: binary(ops.mul, dual.mul),
  div: binary(
    ops.div,
    (a, b) => dual.mul(a, dual.reciprocal(b)),
    (b) => Math.min(...sizes(b)) > 0.25,
  ),
  matmul: product(false),
  "matmul transposed": product(true),
  neg: unary(ops.neg, (x) => dual.scale(-1, x)),
  scale: unary(
    (x) => ops.scale(x, 0.7),
    (x) => dual.scale(0.7, x),
  ),
  square: unary(ops.square, (x) => dual.mul(x, x)),
  sqrt: unary(ops.sqrt, dual.sqrt, (x) => Math.min(...numbers(x)) > 0.25),
  log: unary(ops.log, dual.log, (x) => Math.min(...numbers(x)) > 0.25),
  reciprocal: unary(ops.reciprocal, dual.reciprocal, (x) => Math.min(...sizes(x)) > 0.25),
  exp: unary(ops.exp, dual.exp, (x) => Math.max(...numbers(x)) < 3),
  tanh: unary(ops.tanh, dual.tanh),
  sigmoid: unary(ops.sigmoid, dual.sigmoid),
  softplus: unary(ops.softplus, dual.softplus),
  silu: unary(ops.silu, (x) => dual.mul(x, dual.sigmoid(x))),
  relu: unary(ops.relu, dual.relu, (x) => Math.min(...sizes(x)) > 1e-6),
  softmax: rowwise(ops.softmax, (row) => {
    const { powers: terms, total } = powers(row);
    return terms.map((term) => dual.mul(term, dual.reciprocal(total)));
  }),
  logSoftmax: rowwise(ops.logSoftmax, (row) => {
    const { total, top } = powers(row);
    return row.map((x) => dual.sub(dual.sub(x, top), dual.log(total)));
  }),
  logSumExp: rowwise(
    ops.logSumExp,
    (row) => {
      const { total, top } = powers(row);
      return [dual.add(dual.log(total), top)];
    },
    true,
  ),
  sum: reduction(ops.sum, false),
  mean: reduction(ops.mean, true),
  reshape: ({ shape }, _, drawn) => {
    const size = sizeOf(shape);
    const rows = [1, 2, 3].filter((d) => size % d === 0)[drawn % 3] ?? 1;
    const to = drawn % 5 === 0 ? [size] : [rows, size / rows];
    return { arity: 1, tensors: (x) => ops.reshape(x, to), duals: ({ values }) => ({ shape: to, values }) };
  },
  permute: ({ shape }, _, drawn) => {
    const order = shape.map((_, axis) => (axis + drawn) % shape.length);
    const to = order.map((axis) => shape[axis]!);
    return movement(
      (x) => ops.permute(x, order),
      to,
      (index) => shape.map((_, axis) => index[order.indexOf(axis)]!),
    );
  },
  transpose: ({ shape }) => {
    if (shape.length !== 2) return null;
    return movement(ops.transpose, [shape[1]!, shape[0]!], ([i, j]) => [j!, i!]);
  },
  slice: ({ shape }, _, drawn) => {
    if (shape.length === 0) return null;
    const axis = drawn % shape.length;
    const start = drawn % shape[axis]!;
    const to = shape.map((size, i) => (i === axis ? size - start : size));
    return movement(
      (x) => ops.slice(x, axis, start),
      to,
      (index) => index.map((at, i) => (i === axis ? at + start : at)),
    );
  },
  broadcastTo: ({ shape }) =>
    movement(
      (x) => ops.broadcastTo(x, [2, ...shape]),
      [2, ...shape],
      (index) => index.slice(1),
    ),
  concat: (a, b, drawn) => {
    if (a.shape.length === 0 || a.shape.length !== b.shape.length) return null;
    const axis = drawn % a.shape.length;
    if (!a.shape.every((size, i) => i === axis || size === b.shape[i])) return null;
    const to = a.shape.map((size, i) => (i === axis ? size + b.shape[i]! : size));
    return {
      arity: 2,
      tensors: (x, y) => ops.concat([x, y], axis),
      duals: (x, y) => {
        const own = x.shape[axis]!;
        const first = moved(x, to, (index) =>
          index.map((at, i) => (i === axis ? Math.min(at, own - 1) : at)),
        );
        const second = moved(y, to, (index) =>
          index.map((at, i) => (i === axis ? Math.max(at - own, 0) : at)),
        );
        const block = sizeOf(to.slice(axis + 1));
        const isFirst = (i: number): boolean => Math.floor(i / block) % to[axis]! < own;
        return {
          shape: to,
          values: first.values.map((value, i) => (isFirst(i) ? value : second.values[i]!)),
        };
      },
    };
  },
};
const names = Object.keys(kinds);

interface Node {
  readonly step: Step;
  /** Places of the operands: of an input, or behind these of an earlier node. */
  readonly operands: readonly [number, number];
}

/** Inputs and what is computed from them; the last node is the result. */
interface Graph {
  readonly inputs: readonly Operand[];
  readonly nodes: readonly Node[];
  readonly [fc.toStringMethod]: () => string;
}

/** A tree of more copies than this is not grown: a node then takes an input instead of its second operand. */
const LARGEST_TREE = 300;
const LARGEST_SIZE = 36;

const moderate = (x: Duals): boolean => x.values.length <= LARGEST_SIZE && Math.max(...sizes(x)) < 30;

/** The first op, from a drawn one on, that fits its operands and leaves few and moderate values; tanh always does. */
function fitting(a: Duals, b: Duals, kind: number, drawn: number): Step {
  for (let i = kind; ; i++) {
    const name = names[i % names.length]!;
    const made = kinds[name]!(a, b, drawn);
    if (made !== null && moderate(made.duals(a, b))) return { name, ...made };
  }
}

/** Reads drawn numbers as a graph, each as the next op. */
function graphFrom(inputs: readonly Operand[], drawn: readonly (readonly [number, number, number])[]): Graph {
  const known = inputs.map(({ shape, values }): Duals => ({ shape, values: values.map(dual.constant) }));
  const copies = inputs.map(() => 1);
  const nodes: Node[] = [];
  for (const [kind, first, second] of drawn) {
    // The first operand is one of the latest, so that graphs are deep; the second any.
    const a = known.length - 1 - (first % Math.min(known.length, 3));
    const any = second % known.length;
    const b = copies[a]! + copies[any]! > LARGEST_TREE ? second % inputs.length : any;
    const step = fitting(known[a]!, known[b]!, kind, second);
    nodes.push({ step, operands: [a, b] });
    known.push(step.duals(known[a]!, known[b]!));
    copies.push(copies[a]! + (step.arity === 2 ? copies[b]! : 0));
  }
  const printed = nodes.map(({ step: { name, arity }, operands }) => `${name}(${operands.slice(0, arity)})`);
  const counterexample = (): string => `${JSON.stringify(inputs)} then ${printed.join(", ")}`;
  return { inputs, nodes, [fc.toStringMethod]: counterexample };
}

const graphs: fc.Arbitrary<Graph> = fc
  .tuple(
    fc.array(fc.constantFrom([2, 3], [3, 2], [3], [2, 1], [2, 2, 2], []), { minLength: 2, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), {
      minLength: 5,
      maxLength: 30,
      size: "max",
    }),
  )
  .chain(([shapes, drawn]) =>
    fc
      .tuple(...shapes.map((of) => operand(of, { min: -2, max: 2 })))
      .map((inputs) => graphFrom(inputs, drawn)),
  );

/** A scalar of the result in which every entry has a weight of its own. */
const weights = (size: number): number[] => Array.from({ length: size }, (_, i) => 1 - (0.6 * i) / size);
const weighed = (y: Tensor): Tensor =>
  ops.sum(ops.mul(y, tensor(weights(y.size), { shape: [...y.shape], kernels: float64 })));

const leafOf = (input: Operand): Tensor => {
  const leaf = in64(input);
  leaf.requiresGrad = true;
  return leaf;
};
const gradientOf = (leaf: Tensor): number[] => [...(leaf.grad?.data ?? new Float64Array(leaf.size))];

/** The gradients of all inputs, with every value computed once, or only those that the result needs. */
function backwards({ inputs, nodes }: Graph, needed: (place: number) => boolean = () => true): number[][] {
  const leaves = inputs.map(leafOf);
  const known: Tensor[] = [...leaves];
  for (const [i, { step, operands }] of nodes.entries()) {
    // In the place of what is not needed stands something that is not used.
    known.push(
      needed(inputs.length + i) ? step.tensors(known[operands[0]]!, known[operands[1]]!) : leaves[0]!,
    );
  }
  const loss = weighed(known.at(-1)!);
  loss.backward();
  return leaves.map(gradientOf);
}

/** The same, with every use computed anew: for each input the gradients of its copies. */
function treeGradients({ inputs, nodes }: Graph): number[][][] {
  const copies: Tensor[][] = inputs.map(() => []);
  const grown = (place: number): Tensor => {
    const input = inputs[place];
    if (input !== undefined) {
      const leaf = leafOf(input);
      copies[place]!.push(leaf);
      return leaf;
    }
    const { step, operands } = nodes[place - inputs.length]!;
    const a = grown(operands[0]);
    return step.tensors(a, step.arity === 2 ? grown(operands[1]) : a);
  };
  weighed(grown(inputs.length + nodes.length - 1)).backward();
  return copies.map((leaves) => leaves.map(gradientOf));
}

/** The derivative of the scalar by one entry of one input, forwards. */
function forwards({ inputs, nodes }: Graph, input: number, entry: number): Dual {
  const known = inputs.map(
    ({ shape, values }, i): Duals => ({
      shape,
      values: values.map((value, j) =>
        i === input && j === entry ? dual.variable(value) : dual.constant(value),
      ),
    }),
  );
  for (const { step, operands } of nodes) known.push(step.duals(known[operands[0]]!, known[operands[1]]!));
  const result = known.at(-1)!;
  return dual.sum(result.values.map((value, i) => dual.scale(weights(result.values.length)[i]!, value)));
}

/** The places that the result is computed from. */
function ancestors({ inputs, nodes }: Graph): Set<number> {
  const found = new Set([inputs.length + nodes.length - 1]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (!found.has(inputs.length + i)) continue;
    const { step, operands } = nodes[i]!;
    for (const place of operands.slice(0, step.arity)) found.add(place);
  }
  return found;
}

/**
 * Roundings that a path can meet on the way back: at each op a product and the few operations of its pullback, a sum over
 * at most the entries of one tensor; and one addition for every use of a value.
 */
const roundings = ({ nodes }: Graph): number => (nodes.length + 2) * (16 + LARGEST_SIZE) + 2 * nodes.length;

describe("random graphs", () => {
  it("40: obey the chain rule: backward gives what dual numbers give forwards, within their error bound", () => {
    const used = new Map<string, number>();
    let [entries, sharp] = [0, 0];
    fc.assert(
      fc.property(graphs, (graph) => {
        for (const { step } of graph.nodes) used.set(step.name, (used.get(step.name) ?? 0) + 1);
        const gradients = backwards(graph);
        for (const [i, gradient] of gradients.entries()) {
          for (const [j, got] of gradient.entries()) {
            const { slope, slopeError, reach } = forwards(graph, i, j);
            const bound = 2 * slopeError + gamma(roundings(graph), 2 ** -53) * reach;
            expect(Math.abs(got - slope), `input ${i}, entry ${j}`).toBeLessThanOrEqual(bound);
            if (slope !== 0) {
              entries++;
              if (bound < 1e-9 * Math.abs(slope)) sharp++;
            }
          }
        }
      }),
      runs,
    );
    // Every op took part, and a bound that allows everything would prove nothing.
    expect(names.filter((name) => !used.has(name))).toEqual([]);
    expect(entries).toBeGreaterThan(3 * runs.numRuns);
    expect(sharp).toBeGreaterThan(0.9 * entries);
  });

  it("40: give each input the sum over the copies that it has in the tree without sharing", () => {
    let shared = 0;
    fc.assert(
      fc.property(graphs, (graph) => {
        const gradients = backwards(graph);
        for (const [i, copies] of treeGradients(graph).entries()) {
          if (copies.length > 1) shared++;
          for (const [j, got] of gradients[i]!.entries()) {
            const parts = copies.map((gradient) => gradient[j]!);
            const sum = parts.reduce((a, b) => a + b, 0);
            const { reach } = forwards(graph, i, j);
            const bound = (2 * gamma(roundings(graph), 2 ** -53) + gamma(parts.length, 2 ** -53)) * reach;
            expect(Math.abs(got - sum), `input ${i}, entry ${j}`).toBeLessThanOrEqual(bound);
          }
        }
      }),
      runs,
    );
    expect(shared).toBeGreaterThan(runs.numRuns / 2);
  });

  it("42: are not changed, to the last bit, by branches that the result does not need", () => {
    let unused = 0;
    fc.assert(
      fc.property(graphs, (graph) => {
        const needed = ancestors(graph);
        unused += graph.inputs.length + graph.nodes.length - needed.size;
        expect(backwards(graph, (place) => needed.has(place))).toEqual(backwards(graph));
      }),
      runs,
    );
    expect(unused).toBeGreaterThan(runs.numRuns);
  });
});
