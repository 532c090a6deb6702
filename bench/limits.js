// @ts-check
/**
 * What this core can do at the moment, told by two loops that do nothing else: the yardsticks of the rows. They are
 * WebAssembly with 128-bit lanes, since nothing that JavaScript can reach is wider; a small module of them is put
 * together here, byte by byte.
 */

/**
 * Independent sums: as many as fit into the 15 registers that V8 has, with one for ½. Fewer don't hide the latency of a
 * multiplication and an addition that wait for each other (twelve read 6 % less, eight 30 %), more are spilled.
 */
const chains = 14;
/** Rounds of all chains in the loop's body. */
const unrolled = 4;
/** Lanes in a vector, and one multiplication and one addition in each. */
const flopPerRound = chains * 4 * 2;

const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];

/** An unsigned number in LEB128. @param {number} n @returns {number[]} */
const number = (n) => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...number(n >>> 7)]);
/** What is counted first. @param {number[][]} items */
const vector = (items) => [...number(items.length), ...items.flat()];
/** @param {number} id @param {number[]} bytes */
const section = (id, bytes) => [id, ...number(bytes.length), ...bytes];
/** @param {string} text */
const name = (text) => vector([...text].map((letter) => [letter.charCodeAt(0)]));

const get = (/** @type {number} */ local) => [0x20, ...number(local)]; // local.get
const set = (/** @type {number} */ local) => [0x21, ...number(local)]; // local.set
const tee = (/** @type {number} */ local) => [0x22, ...number(local)]; // local.tee
const constant = (/** @type {number} */ n) => [0x41, n & 0x3f]; // i32.const, below 64
const float = (/** @type {number} */ x) => [0x43, ...new Uint8Array(new Float32Array([x]).buffer)]; // f32.const
const splat = [0xfd, 0x13]; // f32x4.splat
const multiply = [0xfd, ...number(0xe6)]; // f32x4.mul
const add = [0xfd, ...number(0xe4)]; // f32x4.add
const firstLane = [0xfd, 0x1f, 0]; // f32x4.extract_lane 0
const load = (/** @type {number} */ offset) => [0xfd, 0x00, 4, ...number(offset)]; // v128.load
const store = (/** @type {number} */ offset) => [0xfd, 0x0b, 4, ...number(offset)]; // v128.store
/** `do { … } while (the last value ≠ 0)`. @param {number[]} body */
const loop = (body) => [0x03, 0x40, ...body, 0x0d, 0, 0x0b]; // loop, br_if 0, end
const [plus, minus, below] = [0x6a, 0x6b, 0x49]; // i32.add, i32.sub, i32.lt_u

const times = (/** @type {number} */ n, /** @type {(i: number) => number[]} */ code) =>
  Array.from({ length: n }, (_, i) => code(i)).flat();

/**
 * `multiplyAdd(n)`: sum ← sum · ½ + ½ in every chain, n · `unrolled` times. All sums go to 1, so that none is ever
 * subnormal.
 */
function multiplyAddBody() {
  const sum = (/** @type {number} */ i) => 1 + i;
  const half = 1 + chains;
  return [
    ...vector([[...number(chains + 1), v128]]),
    ...[...float(0.5), ...splat, ...set(half)],
    ...times(chains, (i) => [...float(i), ...splat, ...set(sum(i))]),
    ...loop([
      ...times(unrolled, () =>
        times(chains, (i) => [
          ...get(sum(i)),
          ...get(half),
          ...multiply,
          ...get(half),
          ...add,
          ...set(sum(i)),
        ]),
      ),
      ...[...get(0), ...constant(1), minus, ...tee(0)],
    ]),
    ...get(sum(0)),
    ...times(chains - 1, (i) => [...get(sum(i + 1)), ...add]),
    ...firstLane,
    0x0b, // end
  ];
}

/** `copy(bytes)`: from the start of the memory to right behind it, 64 bytes at a time. */
function copyBody() {
  const from = 1;
  return [
    ...vector([[1, i32]]),
    ...loop([
      ...times(4, (i) => [...get(from), ...get(0), plus, ...get(from), ...load(16 * i), ...store(16 * i)]),
      ...[...get(from), ...constant(32), plus, ...constant(32), plus, ...tee(from), ...get(0), below],
    ]),
    0x0b, // end
  ];
}

/** Pages of 64 KiB: two times a million floats. */
const pages = Math.ceil(8e6 / 65536);

const bytes = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
  ...section(
    1, // types
    vector([
      [0x60, ...vector([[i32]]), ...vector([[f32]])],
      [0x60, ...vector([[i32]]), ...vector([])],
    ]),
  ),
  ...section(3, vector([[0], [1]])), // functions
  ...section(5, vector([[0, ...number(pages)]])), // memory
  ...section(
    7, // exports
    vector([
      [...name("multiplyAdd"), 0, 0],
      [...name("copy"), 0, 1],
    ]),
  ),
  ...section(
    10, // code
    vector([multiplyAddBody(), copyBody()].map((body) => [...number(body.length), ...body])),
  ),
]);

/** @param {() => number} sample @param {number} count */
function medianOf(sample, count) {
  return median(Array.from({ length: count }, sample));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The limits, each a function that measures for a few milliseconds: now, since a shared core is not the same core a
 * second later.
 */
export function createLimits() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const multiplyAdd = /** @type {(n: number) => number} */ (exports.multiplyAdd);
  const copy = /** @type {(bytes: number) => void} */ (exports.copy);

  const rounds = 40_000;
  const giga = (/** @type {number} */ amount, /** @type {() => void} */ run) => {
    const start = performance.now();
    run();
    return amount / (performance.now() - start) / 1e6;
  };
  const limits = {
    /** Billions of float32 operations a second, multiplications and additions in equal parts. */
    "multiply-add": () =>
      medianOf(() => giga(rounds * unrolled * flopPerRound, () => multiplyAdd(rounds)), 5),
    /** Billions of bytes a second, read or written, when a million floats are copied. */
    copy: () => medianOf(() => giga(8e6, () => copy(4e6)), 5),
  };
  // The engine compiles a loop well only after it has seen it run.
  for (let i = 0; i < 15; i++) for (const measure of Object.values(limits)) measure();
  return limits;
}

/** @typedef {keyof ReturnType<typeof createLimits>} LimitName */
