/** How a set comes by programs that only some kernels need, and by the arrays that they are called with. */
import { describe, expect, it } from "vitest";
import type { Extension, Programs } from "../../../src/kernels/wasm/extension.ts";
import { ModuleMemory } from "../../../src/kernels/wasm/memory.ts";
import { simdKernels } from "../../../src/kernels/wasm/simd.ts";

const doubling: Extension = { name: "double", define: () => {} };

/** A set whose only program doubles floats, in JavaScript. */
function setWith(bytes: number, compile?: () => Programs) {
  const buffer = new ArrayBuffer(bytes);
  const programs: Programs = {
    double(at, n) {
      const floats = new Float32Array(buffer, at, n);
      for (const [i, x] of floats.entries()) floats[i] = 2 * x;
      return 0;
    },
  };
  let compiled = 0;
  const kernels = simdKernels("test", new ModuleMemory(buffer, 64), {}, () => {
    compiled++;
    return compile === undefined ? programs : compile();
  });
  const double = (x: Float32Array): boolean =>
    kernels.simd!.run(doubling, [x], [x], (own, at) => own.double(at, x.length));
  return { buffer, kernels, double, compilations: () => compiled };
}

describe("an extension", () => {
  it("is compiled once, when it is first called", () => {
    const { double, compilations } = setWith(4096);
    expect(compilations()).toBe(0);
    const x = Float32Array.of(1, 2, 3);
    expect([double(x), double(x)]).toEqual([true, true]);
    expect(compilations()).toBe(1);
    expect([...x]).toEqual([4, 8, 12]);
  });

  it("works on what lies in the memory where it is, and copies back only what is written", () => {
    const { buffer, kernels, double } = setWith(4096);
    const x = kernels.lasting(3) as Float32Array;
    x.set([1, 2, 3]);
    expect(double(x)).toBe(true);
    expect([...x]).toEqual([2, 4, 6]);
    const [written, read] = [Int32Array.of(5), Int32Array.of(6)];
    kernels.simd!.run(doubling, [written], [written, read, 2], (_, ...addresses) => {
      const words = (at: number): Int32Array => new Int32Array(buffer, at, 2);
      expect(addresses.map((at) => words(at)[0])).toEqual([5, 6, 0]);
      for (const at of addresses) words(at)[0] = 7;
    });
    expect([written[0], read[0]]).toEqual([7, 6]);
    // Zeros are zeros again.
    kernels.simd!.run(doubling, [], [1, 1, 1], (_, ...addresses) => {
      for (const at of addresses) expect(new Int32Array(buffer, at, 1)[0]).toBe(0);
    });
  });

  it("does nothing where there is no room, and gives back what it had taken", () => {
    const { kernels, double } = setWith(1024);
    const large = new Float32Array(1000).fill(1);
    const small = Float32Array.of(1);
    for (let i = 0; i < 20; i++) {
      expect(kernels.simd!.run(doubling, [large], [small, large], () => expect.unreachable())).toBe(false);
    }
    expect(large[0]).toBe(1);
    expect(double(small)).toBe(true);
  });

  it("that the engine refuses is asked for once, and its kernels are left to plain loops", () => {
    const { double, compilations } = setWith(4096, () => {
      throw new Error("refused");
    });
    const x = Float32Array.of(1);
    expect([double(x), double(x), x[0]]).toEqual([false, false, 1]);
    expect(compilations()).toBe(1);
  });
});
