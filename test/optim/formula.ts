/**
 * An update rule written once, as its docstring has it, and run on three kinds of numbers: float64; float32 with one
 * rounding per operation; and float64 that carries a bound of what float32 may have lost on the way.
 */
import { expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { mul, sum } from "../../src/ops/index.ts";
import type { GroupedParameters, Optimizer } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

export interface Arithmetic<T> {
  /** A number that is rounded once: a setting, or what was computed from settings. */
  setting(x: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  sqrt(a: T): T;
  sign(a: T): T;
  /** The larger of a and 0. */
  positive(a: T): T;
}

/** Of one weight: `w` and its running values by name, after step t from those before it. */
export type Formula<Options> = <T>(
  arithmetic: Arithmetic<T>,
  state: Readonly<Record<string, T>>,
  g: T,
  t: number,
  options: Required<Options>,
) => Record<string, T>;

const rounded = (round: (x: number) => number): Arithmetic<number> => ({
  setting: round,
  add: (a, b) => round(a + b),
  sub: (a, b) => round(a - b),
  mul: (a, b) => round(a * b),
  div: (a, b) => round(a / b),
  sqrt: (a) => round(Math.sqrt(a)),
  sign: (a) => Math.sign(a),
  positive: (a) => (a < 0 ? 0 : a),
});

/** A number and how far a float32 computation of it may be off: a running error analysis (Higham 2002, §3.3). */
interface Bounded {
  readonly x: number;
  readonly error: number;
}

/** A little more than half a unit in the last place of 1, for what the bounds leave out: products of two errors. */
const u = 1.0001 * 2 ** -24;
const after = (x: number, error: number): Bounded => ({ x, error: error + u * (Math.abs(x) + error) });

const bounded: Arithmetic<Bounded> = {
  setting: (x) => after(x, 0),
  add: (a, b) => after(a.x + b.x, a.error + b.error),
  sub: (a, b) => after(a.x - b.x, a.error + b.error),
  mul: (a, b) => after(a.x * b.x, Math.abs(a.x) * b.error + Math.abs(b.x) * a.error + a.error * b.error),
  div: (a, b) => {
    const size = Math.abs(b.x) - b.error;
    return after(a.x / b.x, size > 0 ? (a.error + Math.abs(a.x / b.x) * b.error) / size : Infinity);
  },
  // |√a − √b| is at most √|a − b|, and at most |a − b| / √a.
  sqrt: ({ x, error }) => after(Math.sqrt(x), Math.min(Math.sqrt(error), error / Math.sqrt(x) || 0)),
  sign: ({ x, error }) => ({ x: Math.sign(x), error: error >= Math.abs(x) && error > 0 ? 2 : 0 }),
  positive: ({ x, error }) => ({ x: x < 0 ? 0 : x, error }),
};

/** Makes `gradient` the gradient of `w`. */
export function setGradient(w: Tensor, gradient: ArrayLike<number>): void {
  sum(mul(w, tensor(Float64Array.from(gradient), { kernels: w.kernels }))).backward();
}

/** Moves `w` by one step along a gradient. */
export function stepAlong(optimizer: Optimizer, w: Tensor, gradient: ArrayLike<number>): void {
  optimizer.zeroGrad();
  setGradient(w, gradient);
  optimizer.step();
}

/** Of a rule: where one weight in float64 ends, from `start` along a path of gradients. */
export const pathOf =
  <Options>(make: (parameters: Map<string, Tensor>, options: Options) => Optimizer) =>
  (gradients: readonly number[], options: Options, start = 0): number => {
    const w = tensor([start], { kernels: float64, requiresGrad: true });
    const optimizer = make(new Map([["w", w]]), options);
    for (const g of gradients) stepAlong(optimizer, w, [g]);
    return w.item();
  };

/** Registers the tests that every rule has: its bits in both sets, and float32 within its roundings of float64. */
export function itFollows<Options extends object>(
  formula: Formula<Options>,
  defaults: Required<Options>,
  variants: readonly Partial<Options>[],
  make: (parameters: GroupedParameters<Options>, options: Partial<Options>) => Optimizer,
): void {
  const size = 6;

  /** The weight of index i with its running values. */
  const stateOf = (optimizer: Optimizer, w: Tensor, i: number): Record<string, number> => {
    const running = [...optimizer.state().buffers].map(([name, values]) => [name.split(" ")[0], values[i]]);
    return { w: w.data[i], ...Object.fromEntries(running) };
  };
  const statesOf = (optimizer: Optimizer, w: Tensor) =>
    Array.from({ length: size }, (_, i) => stateOf(optimizer, w, i));

  it.each(variants)("follows its formula bit for bit, in float64 and in float32, with %j", (options) => {
    const settings = { ...defaults, ...options };
    for (const [kernels, arithmetic] of [
      [float64, rounded((x) => x)],
      [float32, rounded(Math.fround)],
    ] as const) {
      const random = new RandomStream(1);
      const w = tensor(
        Array.from({ length: size }, () => random.normal()),
        { kernels, requiresGrad: true },
      );
      const optimizer = make(new Map([["w", w]]), options);
      let expected = statesOf(optimizer, w);
      for (let t = 1; t <= 100; t++) {
        const gradient = kernels.alloc(size).map(() => random.normal());
        expected = expected.map((state, i) => formula(arithmetic, state, gradient[i], t, settings));
        stepAlong(optimizer, w, gradient);
      }
      expect(statesOf(optimizer, w)).toEqual(expected);
    }
  });

  it.each(variants)("steps in float32 within its roundings of the exact step, with %j", (options) => {
    const settings = { ...defaults, ...options };
    const random = new RandomStream(2);
    const w = tensor(
      Float32Array.from({ length: size }, () => random.normal()),
      { requiresGrad: true },
    );
    const optimizer = make(new Map([["w", w]]), options);
    const outside: string[] = [];
    let sharp = 0;
    for (let t = 1; t <= 100; t++) {
      const before = statesOf(optimizer, w);
      const gradient = Float32Array.from(
        { length: size },
        () => random.normal() * 10 ** (random.below(5) - 3),
      );
      stepAlong(optimizer, w, gradient);
      for (const [i, got] of statesOf(optimizer, w).entries()) {
        const exact = (x: number): Bounded => ({ x, error: 0 });
        const from = Object.fromEntries(Object.entries(before[i]).map(([name, x]) => [name, exact(x)]));
        for (const [name, { x, error }] of Object.entries(
          formula(bounded, from, exact(gradient[i]), t, settings),
        )) {
          if (!(Math.abs(got[name] - x) <= error)) outside.push(`${name} ${i} at step ${t}`);
          if (error < 1e-5 * Math.abs(x)) sharp++;
        }
      }
    }
    expect(outside).toEqual([]);
    // A bound that allows everything would prove nothing.
    expect(sharp).toBeGreaterThan(0.8 * 100 * size);
  });
}
