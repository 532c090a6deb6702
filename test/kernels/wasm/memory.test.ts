import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ModuleMemory } from "../../../src/kernels/wasm/memory.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Lets the registry hear of what was collected. */
const breathe = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

const START = 1024;
const memoryOf = (bytes: number): ModuleMemory => new ModuleMemory(new ArrayBuffer(bytes), START);

describe("the stack of a module's memory", () => {
  it("gives aligned addresses one after the other, with room to read beyond, and takes them again", () => {
    const memory = memoryOf(65_536);
    const top = memory.top;
    const [a, b] = [memory.push(4), memory.push(400)];
    expect(a).toBe(START);
    expect(b - a).toBeGreaterThanOrEqual(4 + 64);
    expect([a % 64, b % 64]).toEqual([0, 0]);
    memory.pop(top);
    expect(memory.push(8)).toBe(START);
  });

  it("refuses what would not fit, and leaves the rest as it was", () => {
    const memory = memoryOf(65_536);
    expect(memory.push(65_536)).toBe(-1);
    expect(memory.push(60_000)).toBe(START);
    expect(memory.push(10_000)).toBe(-1);
    expect(memory.push(64)).toBeGreaterThan(START);
  });

  it("never meets what lasts, whoever comes first", () => {
    const memory = memoryOf(65_536);
    const kept: Float32Array[] = [];
    for (let i = 0; ; i++) {
      const lasting = memory.lasting(256);
      const at = memory.push(1024);
      if (lasting === null || at === -1) break;
      kept.push(lasting.fill(i), new Float32Array(memory.buffer, at, 256).fill(-i));
    }
    expect(kept.length).toBeGreaterThan(40);
    for (const [i, array] of kept.entries()) {
      expect(array.every((x) => x === (i % 2 === 0 ? i / 2 : -(i - 1) / 2 || 0))).toBe(true);
    }
  });

  it("keeps what lasts off its own place, also where that is all there is", () => {
    const memory = memoryOf(65_536);
    expect(memory.push(60_000)).toBe(START);
    expect(memory.lasting(2000)).toBeNull();
    memory.pop(START);
    expect(memory.lasting(2000)).not.toBeNull();
  });
});

describe("lasting memory", () => {
  it("is zero also where something was before", async () => {
    const memory = memoryOf(16_384);
    const fill = (): void => {
      for (let array = memory.lasting(100); array !== null; array = memory.lasting(100)) array.fill(7);
    };
    fill();
    await breathe();
    collect();
    await breathe();
    const again = memory.lasting(100);
    expect(again).not.toBeNull();
    expect(again!.every((x) => x === 0)).toBe(true);
  });

  it("is given back when nobody holds it: ten thousand models of any size pass through 1 MiB", async () => {
    const memory = memoryOf(2 ** 20);
    let refused = 0;
    for (let round = 0; round < 500; round++) {
      // Each of another size, so that gaps have to be joined.
      for (let i = 0; i < 20; i++)
        if (memory.lasting(500 + ((round * 37 + i * 101) % 1500)) === null) refused++;
      await breathe();
      collect();
      await breathe();
    }
    expect(refused).toBe(0);
    // What is left is one piece again, but for a little that may not have been collected yet.
    expect(memory.lasting(2 ** 17)).not.toBeNull();
  });

  it("stays while a part of it, or a part of a part, is held", async () => {
    const memory = memoryOf(65_536);
    const part = memory.lasting(1000)!.fill(3).subarray(10, 20).subarray(2, 5);
    for (let round = 0; round < 5; round++) {
      await breathe();
      collect();
      await breathe();
      while (memory.lasting(1000)?.fill(9) !== undefined) {
        // Takes all there is.
      }
    }
    expect([...part]).toEqual([3, 3, 3]);
  });

  it("looks like an array of its own: its buffer is a copy of its values, by either way of reading it", () => {
    const array = memoryOf(65_536).lasting(4)!;
    array.set([1, 2, 3, 4]);
    expect([...new Float32Array(array.buffer)]).toEqual([1, 2, 3, 4]);
    expect([...new Float32Array(array.buffer, array.byteOffset, array.length)]).toEqual([1, 2, 3, 4]);
    const part = array.subarray(1, 3);
    expect(part[Symbol.iterator]().next().value).toBe(2);
    part[0] = 7;
    expect([...array]).toEqual([1, 7, 3, 4]);
    expect([...new Float32Array(part.buffer, part.byteOffset, part.length)]).toEqual([7, 3]);
    new Float32Array(array.buffer).fill(9);
    expect([...array]).toEqual([1, 7, 3, 4]);
    expect(Object.keys(array)).toEqual(["0", "1", "2", "3"]);
    expect(structuredClone(array)).toEqual(Float32Array.of(1, 7, 3, 4));
    expect(array.slice().buffer.byteLength).toBe(16);
  });

  it("is full when it is full", () => {
    const memory = memoryOf(65_536);
    const kept = [memory.lasting(10_000)!];
    expect(memory.lasting(10_000)).toBeNull();
    kept.push(memory.lasting(1000)!);
    expect(kept.map(({ length }) => length)).toEqual([10_000, 1000]);
  });

  it("knows its own arrays from others", () => {
    const memory = memoryOf(65_536);
    const array = memory.lasting(8)!;
    expect(memory.addressOf(array) % 64).toBe(0);
    expect(memory.addressOf(array.subarray(3))).toBe(memory.addressOf(array) + 12);
    expect(memory.addressOf(array.subarray(3).subarray(2, 4))).toBe(memory.addressOf(array) + 20);
    expect(memoryOf(65_536).addressOf(array)).toBe(-1);
    expect(memory.addressOf(new Float32Array(8))).toBe(-1);
    expect(memory.addressOf(array.slice())).toBe(-1);
    expect(memory.addressOf(new Float32Array(8).subarray(3))).toBe(-1);
  });
});
