import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/gradcheck.ts";
import { DistilgradError } from "../../src/errors.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { RandomStream } from "../../src/random.ts";
import { sizeOf } from "../../src/shape.ts";
import { Tensor } from "../../src/tensor.ts";
import { in64, operandIn } from "../support/arbitraries.ts";
import { type Case, type OpName, u } from "./spec.ts";
import { specs } from "./specs.ts";

const deep = process.env.DISTILGRAD_DEEP !== undefined;
const runs = { seed: 1, numRuns: deep ? 2000 : 60 };

/** Cotangents that float32 holds exactly. */
function cotangent(size: number, seed: number): number[] {
  const random = new RandomStream(seed, "cotangent");
  return Array.from({ length: size }, () => Math.fround(2 * random.uniform() - 1));
}

interface Pass {
  readonly y: Tensor;
  readonly gradients: readonly (readonly number[])[];
}

function pass(kernels: Kernels, { operands, call }: Case, dy: readonly number[]): Pass {
  const leaves = operands.map((operand) => {
    const leaf = operandIn(kernels, operand);
    leaf.requiresGrad = true;
    return leaf;
  });
  const y = call(...leaves);
  const data = kernels.alloc(y.size);
  data.set(dy);
  y.backward(new Tensor(data, y.shape, kernels));
  return { y, gradients: leaves.map((leaf) => [...(leaf.grad?.data ?? new Float64Array(leaf.size))]) };
}

describe.each(Object.entries(specs))("%s", (name, spec) => {
  it("gives what the textbook formula gives, in the shape it promises", () => {
    fc.assert(
      fc.property(spec.cases, (drawn) => {
        const y = drawn.call(...drawn.operands.map(in64));
        expect(y.shape).toEqual(drawn.shape);
        expect(y.size).toBe(drawn.expected.length);
        for (const [i, expected] of drawn.expected.entries()) {
          // The oracle sums and subtracts numbers up to 30 in float64, a few hundred roundings at the most.
          expect(Math.abs(y.data[i] - expected)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(expected)));
        }
      }),
      runs,
    );
  });

  it("has the gradient that differences measure", () => {
    fc.assert(
      fc.property(spec.cases, fc.integer({ min: 0, max: 1000 }), ({ operands, call, step = 1e-3 }, seed) => {
        gradcheck(call, operands.map(in64), { seed, step });
      }),
      { ...runs, numRuns: deep ? 1000 : 40 },
    );
  });

  it("is as exact in float32 as its rounding class promises, forward and backward", () => {
    fc.assert(
      fc.property(spec.cases, fc.integer({ min: 0, max: 1000 }), (drawn, seed) => {
        const dy = cotangent(sizeOf(drawn.shape), seed);
        const [single, double] = [pass(float32, drawn, dy), pass(float64, drawn, dy)];
        expect(single.y.data).toBeInstanceOf(Float32Array);
        const { bound = (y) => u * Math.abs(y) } = drawn;
        const { gradientBound = (_, gradient) => 2 * u * Math.abs(gradient) } = drawn;
        for (const [i, exact] of double.y.data.entries()) {
          expect(Math.abs(single.y.data[i] - exact)).toBeLessThanOrEqual(bound(exact, i) + 2 ** -149);
        }
        for (const [which, gradient] of double.gradients.entries()) {
          for (const [i, exact] of gradient.entries()) {
            const off = Math.abs(single.gradients[which][i] - exact);
            expect(off).toBeLessThanOrEqual(gradientBound(which, exact, i, dy) + 2 ** -149);
          }
        }
      }),
      runs,
    );
  });

  it("gives the same bits twice, and leaves operands and cotangent alone", () => {
    fc.assert(
      fc.property(spec.cases, (drawn) => {
        const dy = cotangent(sizeOf(drawn.shape), 7);
        const [once, twice] = [pass(float32, drawn, dy), pass(float32, drawn, dy)];
        expect(once.y.data).toEqual(twice.y.data);
        expect(once.gradients).toEqual(twice.gradients);

        const leaves = drawn.operands.map((operand) => operandIn(float32, operand));
        for (const leaf of leaves) leaf.requiresGrad = true;
        const y = drawn.call(...leaves);
        const values = y.data.slice();
        const given = new Tensor(Float32Array.from(dy), y.shape, float32);
        y.backward(given);
        expect(y.data).toEqual(values);
        expect([...given.data]).toEqual(dy);
        for (const [i, leaf] of leaves.entries()) expect([...leaf.data]).toEqual(drawn.operands[i].values);
      }),
      { ...runs, numRuns: 15 },
    );
  });

  it("adds into a gradient that is there already", () => {
    fc.assert(
      fc.property(spec.cases, (drawn) => {
        const leaves = drawn.operands.map(in64);
        for (const leaf of leaves) leaf.requiresGrad = true;
        const dy = new Tensor(Float64Array.from(cotangent(sizeOf(drawn.shape), 3)), drawn.shape, float64);
        drawn.call(...leaves).backward(dy);
        const once = leaves.map((leaf) => leaf.grad?.data.slice());
        drawn.call(...leaves).backward(dy);
        for (const [i, leaf] of leaves.entries()) {
          for (const [j, g] of (leaf.grad?.data ?? []).entries()) {
            expect(Math.abs(g - 2 * once[i]![j])).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(g)));
          }
        }
      }),
      { ...runs, numRuns: 15 },
    );
  });

  it("computes no derivative that nobody asked for", () => {
    fc.assert(
      fc.property(spec.cases, (drawn) => {
        expect(drawn.call(...drawn.operands.map(in64)).requiresGrad).toBe(false);
        for (const asked of drawn.operands.keys()) {
          const leaves = drawn.operands.map(in64);
          leaves[asked].requiresGrad = true;
          const y = drawn.call(...leaves);
          const dy = cotangent(y.size, 5);
          y.backward(new Tensor(Float64Array.from(dy), y.shape, float64));
          for (const [i, leaf] of leaves.entries()) if (i !== asked) expect(leaf.grad).toBeNull();
          // The same number as when all are asked.
          expect([...(leaves[asked].grad?.data ?? [])]).toEqual(pass(float64, drawn, dy).gradients[asked]);
        }
      }),
      { ...runs, numRuns: 10 },
    );
  });

  if (spec.rowwise) {
    it("computes a row in a batch to the same bits as the row alone", () => {
      fc.assert(
        fc.property(spec.cases, ({ operands, call }) => {
          const [x, ...rest] = operands;
          const cols = x.shape.at(-1);
          if (!cols || x.values.length === 0) return;
          const others = rest.map((operand) => operandIn(float32, operand));
          const whole = call(operandIn(float32, x), ...others).data;
          const rowCount = x.values.length / cols;
          const width = whole.length / rowCount;
          for (let row = 0; row < rowCount; row++) {
            const alone = { shape: [1, cols], values: x.values.slice(row * cols, (row + 1) * cols) };
            expect(call(operandIn(float32, alone), ...others).data).toEqual(
              whole.slice(row * width, (row + 1) * width),
            );
          }
        }),
        { ...runs, numRuns: 20 },
      );
    });
  }

  it.each(spec.errors.map(([call, message]) => [message, call] as const))("says: %s", (message, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("names itself in the graph", () => {
    const [drawn] = fc.sample(
      spec.cases.filter(
        ({ shape, operands }) => sizeOf(shape) > 0 && operands.every((o) => sizeOf(o.shape) > 0),
      ),
      { seed: 3, numRuns: 1 },
    );
    const leaves = drawn.operands.map(in64);
    for (const leaf of leaves) leaf.requiresGrad = true;
    const y = drawn.call(...leaves);
    // `sum` is a `reshape` of a `sumTo`, attention ends with a `matmul`, and the parts of `split` are a `concat` in its
    // entry; every other op is one node, or its own input.
    const known: Partial<Record<OpName, RegExp>> = {
      scaledDotProductAttention: /matmul/,
      split: /concat/,
      sum: /reshape|sumTo/,
      dropout: /dropout|^$/,
    };
    const op = y.node !== null && "op" in y.node ? y.node.op : "";
    expect(op).toMatch(known[name as OpName] ?? new RegExp(`^${name}$`));
  });
});
