/** The SIMD kernels as a set gives them: wherever operands lie, and whether or not there is room, they have the plain bits. */
import { describe, expect, it } from "vitest";
import { float32 } from "../../../src/kernels/float32.ts";
import type { Floats, Kernels } from "../../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { assembleKernels } from "../../../src/kernels/wasm/install.ts";
import { ModuleMemory } from "../../../src/kernels/wasm/memory.ts";
import { simdKernels } from "../../../src/kernels/wasm/simd.ts";
import { engine } from "../../../src/kernels/wasm/webassembly.ts";
import { log1p } from "../../../src/math.ts";
import { RandomStream } from "../../../src/random.ts";
import { bitsOf, floatsOf } from "../../support/simd-programs.ts";

const [rows, cols] = [7, 13];
const size = rows * cols;
const adam = { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3, decay: 0.3, root: 0.7 };
const sgd = { rate: 0.1, momentum: 0.9, nesterov: false, decay: 0.3 };

/** Each kernel with sizes of its operands, the written ones among them by position. */
const calls: Record<string, [sizes: number[], run: (k: Kernels, ...arrays: Floats[]) => unknown]> = {
  matmul: [[5 * 6, 5 * 9, 9 * 6], (k, c, a, b) => k.matmul(c, a, b, 5, 9, 6)],
  matmulTransposedA: [[5 * 6, 9 * 5, 9 * 6], (k, c, a, b) => k.matmulTransposedA(c, a, b, 5, 9, 6)],
  matmulTransposedB: [[5 * 6, 5 * 9, 6 * 9], (k, c, a, b) => k.matmulTransposedB(c, a, b, 5, 9, 6)],
  fillRows: [[size, cols], (k, y, b) => k.fillRows(y, b, rows)],
  sumRows: [[cols, size], (k, db, dy) => k.sumRows(db, dy, rows)],
  sum: [[size], (k, x) => k.sum(x)],
  dot: [[size, size], (k, x, y) => k.dot(x, y)],
  add: [[size, size, size], (k, y, a, b) => k.add(y, a, b)],
  sub: [[size, size, size], (k, y, a, b) => k.sub(y, a, b)],
  mul: [[size, size, size], (k, y, a, b) => k.mul(y, a, b)],
  div: [[size, size, size], (k, y, a, b) => k.div(y, a, b)],
  scale: [[size, size], (k, y, x) => k.scale(y, 0.1, x)],
  "scale, in place": [[size], (k, x) => k.scale(x, 0.1, x)],
  addScaled: [[size, size], (k, dx, dy) => k.addScaled(dx, 0.1, dy)],
  addProduct: [[size, size, size], (k, dx, a, dy) => k.addProduct(dx, a, dy)],
  relu: [[size, size], (k, y, x) => k.relu(y, x)],
  reluBackward: [[size, size, size], (k, dx, x, dy) => k.reluBackward(dx, x, dy)],
  softmax: [[size, size], (k, y, x) => k.softmax(y, x, rows, cols)],
  softmaxBackward: [[size, size, size], (k, dx, y, dy) => k.softmaxBackward(dx, y, dy, rows, cols)],
  logSoftmax: [[size, size], (k, y, x) => k.logSoftmax(y, x, rows, cols)],
  logSoftmaxBackward: [[size, size, size], (k, dx, y, dy) => k.logSoftmaxBackward(dx, y, dy, rows, cols)],
  distribution: [
    [size, size, size],
    (k, p, logP, x) => {
      const [wideP, wideLogP] = [new Float64Array(size), new Float64Array(size)];
      k.distribution(wideP, wideLogP, x, rows, cols, 3);
      p.set(wideP);
      logP.set(wideLogP);
    },
  ],
  sgdStep: [[size, size, size], (k, w, g, v) => k.sgdStep(w, g, v, sgd)],
  "sgdStep, nesterov": [[size, size, size], (k, w, g, v) => k.sgdStep(w, g, v, { ...sgd, nesterov: true })],
  "sgdStep, without momentum": [[size, size], (k, w, g) => k.sgdStep(w, g, null, { ...sgd, momentum: 0 })],
  adamStep: [[size, size, size, size], (k, w, g, m, v) => k.adamStep(w, g, m, v, adam)],
};

/** The same programs, where a few hundred bytes are free: most calls find no room. */
function crowded(): Kernels {
  const { Instance, Memory, Module } = engine()!;
  const memory = new Memory({ initial: 256, maximum: 256 });
  const { exports } = new Instance(new Module(assembleKernels()), { m: { m: memory, log1p } });
  const own = new ModuleMemory(memory.buffer, memory.buffer.byteLength - 1024);
  return simdKernels("crowded", own, exports as never, () => {
    throw new Error("no extension is asked for");
  });
}

type Place = (kernels: Kernels, values: Float32Array, i: number) => Floats;
const lasting: Place = (kernels, values) => {
  const array = kernels.lasting(values.length);
  array.set(values);
  return array;
};
const stacked: Place = (kernels, values) => {
  const array = kernels.alloc(values.length);
  array.set(values);
  return array;
};
const ordinary: Place = (_, values) => values.slice();
const odd: Place = (kernels, values, i) =>
  lasting(kernels, Float32Array.of(9, ...values, 9), i).subarray(1, -1);
const places: Record<string, Place> = {
  "ordinary arrays": ordinary,
  "lasting arrays": lasting,
  "arrays of a step": stacked,
  "parts of lasting arrays": odd,
  "all of these": (kernels, values, i) => [ordinary, lasting, stacked, odd][i % 4](kernels, values, i),
  "all of these, the other way round": (kernels, values, i) =>
    [odd, stacked, lasting, ordinary][i % 4](kernels, values, i),
};

it("names every kernel of the set", () => {
  const named = Object.keys(calls).map((name) => name.replace(/,.*/, ""));
  const kernels = Object.entries(plainFloat32).filter(([, value]) => typeof value === "function");
  const others = ["alloc", "room", "wideRoom", "lasting", "step"];
  expect([...new Set([...named, ...others])].sort()).toEqual(kernels.map(([name]) => name).sort());
});

describe.each(Object.entries(calls))("%s", (_, [sizes, run]) => {
  it.each(Object.entries(places))("has the plain bits on %s", (_, place) => {
    for (const kernels of [float32, crowded()]) {
      const random = new RandomStream(7, "simd");
      for (let turn = 0; turn < 8; turn++) {
        const given = sizes.map((size) =>
          turn % 2 === 0
            ? floatsOf(size, random)
            : Float32Array.from({ length: size }, () => random.normal()),
        );
        const wanted = given.map((values) => values.slice());
        const result = run(plainFloat32, ...wanted);
        kernels.step(() => {
          const arrays = given.map((values, i) => place(kernels, values, i));
          const got = run(kernels, ...arrays);
          expect(typeof got !== "number" ? [] : bitsOf(Float64Array.of(got))).toEqual(
            typeof result !== "number" ? [] : bitsOf(Float64Array.of(result)),
          );
          for (const [i, array] of arrays.entries()) expect(bitsOf(array)).toEqual(bitsOf(wanted[i]));
        });
      }
    }
  });
});

it("leaves nothing on the stack, and nothing changed, after calls that found no room", () => {
  const kernels = crowded();
  const large = new Float32Array(4000).fill(-1);
  for (let i = 0; i < 1000; i++) kernels.relu(large, large.slice());
  expect(large.every((x) => x === 0)).toBe(true);
  kernels.step(() => {
    expect(kernels.alloc(16).buffer.byteLength).toBe(256 * 65_536);
  });
});

it("gives each step the memory of the one before, also when that threw", () => {
  const place = (): number => float32.step(() => float32.alloc(16).byteOffset);
  const first = place();
  expect(first).toBeGreaterThan(0);
  expect(place()).toBe(first);
  const failing = (): void => {
    float32.alloc(16);
    throw new Error("no");
  };
  expect(() => float32.step(failing)).toThrow("no");
  expect(place()).toBe(first);
});
