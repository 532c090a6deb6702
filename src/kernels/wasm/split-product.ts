/**
 * Floor 0, annex: one product by several threads on one memory. Knows how C is split and how a part is handed over;
 * refuses to know what a thread is.
 *
 * A value of C depends on its row of A and its column of B, and on no other value of C: so every split gives the same
 * bits, and so does every number of threads.
 */
import { COLUMNS, ROWS } from "./products.ts";
import type { Program } from "./webassembly.ts";

/** Multiply-adds of a part: with fewer, a thread is not awake before the others are done. */
const WORTH_A_PART = 1 << 18;

/** A part: whether it is to be done, and then the product's arguments. One line of the cache is its own. */
const FIELDS = 16;
const IDLE = 0;
const POSTED = 1;
const TAKEN = 2;

/** How often to look whether a part is done, before sleeping until it is. */
const LOOKS = 10_000;

/** Where parts are handed over to so many threads. */
export const handoverFor = (threads: number): Int32Array =>
  new Int32Array(new SharedArrayBuffer(4 * FIELDS * threads));

/**
 * The product, with parts of C left to threads that call `serveProducts`. A part that none has begun when the own one is
 * done is done here: so a thread that is not there yet, or no more, is not waited for.
 */
export function splitProduct(product: Program, handover: Int32Array): Program {
  const most = 1 + handover.length / FIELDS;
  return (c, ci, a, ai, ap, b, bp, bj, m, k, n) => {
    const parts = Math.min(most, Math.floor((m * k * n) / WORTH_A_PART));
    if (parts < 2) return product(c, ci, a, ai, ap, b, bp, bj, m, k, n);
    // Each part packs all of the operand that is not split, which therefore is the smaller one.
    const rowwise = m >= n;
    const [whole, tile] = rowwise ? [m, ROWS] : [n, COLUMNS];
    const size = tile * Math.ceil(whole / (tile * parts));
    const argumentsOf = (start: number): number[] => {
      const count = Math.min(size, whole - start);
      return rowwise
        ? [c + start * ci, ci, a + start * ai, ai, ap, b, bp, bj, count, k, n]
        : [c + 4 * start, ci, a, ai, ap, b + start * bj, bp, bj, m, k, count];
    };
    const others: number[] = [];
    for (let start = size; start < whole; start += size) others.push(start);
    for (const [i, start] of others.entries()) {
      handover.set(argumentsOf(start), i * FIELDS + 1);
      Atomics.store(handover, i * FIELDS, POSTED);
      Atomics.notify(handover, i * FIELDS);
    }
    product(...argumentsOf(0));
    for (const [i, start] of others.entries()) {
      if (Atomics.compareExchange(handover, i * FIELDS, POSTED, IDLE) === POSTED)
        product(...argumentsOf(start));
    }
    for (const i of others.keys()) {
      for (let looks = 0; Atomics.load(handover, i * FIELDS) === TAKEN; looks++) {
        if (looks >= LOOKS) Atomics.wait(handover, i * FIELDS, TAKEN);
      }
    }
    return 0;
  };
}

/**
 * Does what is handed over to one thread, and sleeps in between.
 *
 * @param thread 0, 1, … of those that `handoverFor` was asked for
 */
export function serveProducts(product: Program, handover: Int32Array, thread: number): never {
  const at = thread * FIELDS;
  while (true) {
    Atomics.wait(handover, at, IDLE);
    if (Atomics.compareExchange(handover, at, POSTED, TAKEN) !== POSTED) continue;
    product(...handover.subarray(at + 1, at + 12));
    Atomics.store(handover, at, IDLE);
    Atomics.notify(handover, at);
  }
}
