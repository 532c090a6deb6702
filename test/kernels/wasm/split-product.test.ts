import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handoverFor, splitProduct } from "../../../src/kernels/wasm/split-product.ts";

/** The arguments of a product whose operands begin at 0, with A and B transposed or not. */
const argumentsOf = (m: number, k: number, n: number, turnedA: boolean, turnedB: boolean): number[] => [
  0,
  4 * n,
  0,
  ...(turnedA ? [4, 4 * m] : [4 * k, 4]),
  0,
  ...(turnedB ? [4, 4 * k] : [4 * n, 4]),
  m,
  k,
  n,
];

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 400 }),
  fc.integer({ min: 1, max: 600 }),
  fc.integer({ min: 1, max: 400 }),
);

describe("splitProduct", () => {
  it("covers each value of C once, from its own row of A and column of B", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 7 }),
        ([m, k, n], turnedA, turnedB, helpers) => {
          const given = argumentsOf(m, k, n, turnedA, turnedB);
          const [, ci, , ai, ap, , bp, bj] = given;
          const times = new Uint8Array(m * n);
          let parts = 0;
          const split = splitProduct((...part) => {
            parts++;
            const [c, , a, , , b, , , rows, , columns] = part;
            // Strides and depth are those of the whole.
            expect([part[1], part[3], part[4], part[6], part[7], part[9]]).toEqual([ci, ai, ap, bp, bj, k]);
            const [top, left] = [a / ai, b / bj];
            expect(c).toBe(top * ci + 4 * left);
            for (let i = top; i < top + rows; i++) {
              for (let j = left; j < left + columns; j++) times[i * n + j]++;
            }
            return 0;
          }, handoverFor(helpers));
          split(...given);
          expect(times.every((count) => count === 1)).toBe(true);
          expect(parts).toBeLessThanOrEqual(1 + helpers);
          // None but small products stay whole; each part is worth waking a thread for.
          if (helpers > 0) expect(parts > 1).toBe(m * k * n >= 2 ** 19 && Math.max(m, n) > (m >= n ? 5 : 8));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it("hands over what a thread needs, and takes back what none has begun", () => {
    const handover = handoverFor(1);
    const given = argumentsOf(128, 100, 256, false, false);
    const calls: number[][] = [];
    const seen: number[][] = [];
    splitProduct((...part) => {
      calls.push(part);
      seen.push([...handover.subarray(0, 12)]);
      return 0;
    }, handover)(...given);
    // Columns 0 … 127 are the caller's; 128 … 255 wait, and are then done as well.
    expect(calls.map((part) => [part[0], part[5], part[10]])).toEqual([
      [0, 0, 128],
      [512, 512, 128],
    ]);
    expect(seen[0]).toEqual([1, ...calls[1]]);
    expect(seen[1][0]).toBe(0);
  });

  it("leaves to a thread what it has begun", () => {
    const handover = handoverFor(1);
    let calls = 0;
    splitProduct(() => {
      calls++;
      // A thread that takes its part, and is done with it at once.
      Atomics.store(handover, 0, 0);
      return 0;
    }, handover)(...argumentsOf(128, 100, 256, false, false));
    expect(calls).toBe(1);
  });

  it("waits for what a thread has begun", async () => {
    const handover = handoverFor(1);
    // Once its part counts as taken, 2, it is done with it 20 ms later.
    const thread = new Worker(
      `const { workerData: handover } = require("node:worker_threads");
       while (Atomics.load(handover, 0) !== 2);
       Atomics.wait(handover, 15, 0, 20);
       Atomics.store(handover, 0, 0);
       Atomics.notify(handover, 0);`,
      { eval: true, workerData: handover },
    );
    await once(thread, "online");
    splitProduct(() => {
      Atomics.store(handover, 0, 2);
      return 0;
    }, handover)(...argumentsOf(128, 100, 256, false, false));
    expect(Atomics.load(handover, 0)).toBe(0);
    await once(thread, "exit");
  });
});
