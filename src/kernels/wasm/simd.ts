/**
 * Floor 0, annex: the kernels as calls of programs. An operand in the module's memory is named by its address; another
 * is copied onto the stack for the call, and a result back. What finds no place there, and what is not worth a call,
 * is left to the plain set: the bits are the same.
 */
import type { Floats, Kernels } from "../kernels.ts";
import { plainFloat32 } from "../plain-float32.ts";
import type { Extension, Programs } from "./extension.ts";
import type { ModuleMemory } from "./memory.ts";

/** Below so many values, a plain loop is done before a call has begun. */
const WORTHWHILE = 32;

type Numbers = Floats | Int32Array;

/** @param compile the programs of an extension, in a module of their own */
export function simdKernels(
  name: string,
  memory: ModuleMemory,
  programs: Programs,
  compile: (extension: Extension) => Programs,
): Kernels {
  const plain = plainFloat32;
  const floats = new Float32Array(memory.buffer);
  const doubles = new Float64Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  let steps = 0;

  const room = (size: number): Float32Array => {
    const at = steps > 0 ? memory.push(4 * size) : -1;
    return at === -1 ? new Float32Array(size) : new Float32Array(memory.buffer, at, size);
  };

  const wideRoom = (size: number): Float64Array => {
    const at = steps > 0 ? memory.push(8 * size) : -1;
    return at === -1 ? new Float64Array(size) : new Float64Array(memory.buffer, at, size);
  };

  /** All of the memory as numbers of an array's type. */
  const viewFor = (array: Numbers): Numbers =>
    array instanceof Float32Array ? floats : array instanceof Float64Array ? doubles : words;

  /**
   * Calls a program with the addresses of arrays: their own, or those of copies on the stack, of which the written ones
   * are copied back. A number asks for room for so many floats, and is 0 there.
   *
   * @param overwrites whether nothing is read of the written ones, which then come first
   * @returns false, with nothing done, where there is no room
   */
  function run(
    written: readonly Numbers[],
    arrays: readonly (Numbers | number)[],
    call: (...addresses: number[]) => void,
    overwrites = false,
  ): boolean {
    const top = memory.top;
    const addresses: number[] = [];
    for (const array of arrays) {
      const fresh = typeof array === "number";
      let at = fresh ? -1 : memory.addressOf(array);
      if (at === -1) {
        at = memory.push(fresh ? 4 * array : array.byteLength);
        if (at === -1) {
          memory.pop(top);
          return false;
        }
        if (fresh) floats.fill(0, at >> 2, (at >> 2) + array);
        else if (!(overwrites && addresses.length < written.length)) {
          viewFor(array).set(array, at / array.BYTES_PER_ELEMENT);
        }
      }
      addresses.push(at);
    }
    call(...addresses);
    if (memory.top !== top) {
      for (const array of written) {
        const at = addresses[arrays.indexOf(array)];
        if (at === memory.addressOf(array)) continue;
        const start = at / array.BYTES_PER_ELEMENT;
        array.set(viewFor(array).subarray(start, start + array.length));
      }
      memory.pop(top);
    }
    return true;
  }

  const worthwhile = (y: Floats): boolean => y.length >= WORTHWHILE;

  const product =
    (
      plainly: Kernels["matmul"],
      strides: (m: number, k: number, n: number) => readonly [ai: number, ap: number, bp: number, bj: number],
    ): Kernels["matmul"] =>
    (c, a, b, m, k, n) => {
      const [ai, ap, bp, bj] = strides(m, k, n);
      const done =
        m * n * k >= WORTHWHILE &&
        run([c], [c, a, b], (c, a, b) =>
          programs.product(c, 4 * n, a, 4 * ai, 4 * ap, b, 4 * bp, 4 * bj, m, k, n),
        );
      if (!done) plainly(c, a, b, m, k, n);
    };

  const map =
    (
      name: "add" | "sub" | "mul" | "div" | "addProduct" | "reluBackward",
      overwrites: boolean,
    ): Kernels["add"] =>
    (y, a, b) => {
      const done =
        worthwhile(y) && run([y], [y, a, b], (to, a, b) => programs[name](to, a, b, y.length, 0), overwrites);
      if (!done) plain[name](y, a, b);
    };
  const mapScaled =
    (name: "scale" | "addScaled", overwrites: boolean): Kernels["scale"] =>
    (y, s, x) => {
      const done =
        worthwhile(y) && run([y], [y, x], (to, x) => programs[name](to, x, x, y.length, s), overwrites);
      if (!done) plain[name](y, s, x);
    };
  /** Each row needs room for its powers in float64, and for eight more. */
  const mapRows =
    (name: "softmax" | "logSoftmax"): Kernels["softmax"] =>
    (y, x, rows, cols) => {
      const done = run(
        [y],
        [y, x, 2 * (cols + 8)],
        (y, x, scratch) => programs[name](y, x, rows, cols, scratch),
        true,
      );
      if (!done) plain[name](y, x, rows, cols);
    };
  const mapRowsBack =
    (name: "softmaxBackward" | "logSoftmaxBackward"): Kernels["softmaxBackward"] =>
    (dx, y, dy, rows, cols) => {
      const done = run([dx], [dx, y, dy], (dx, y, dy) => programs[name](dx, y, dy, rows, cols));
      if (!done) plain[name](dx, y, dy, rows, cols);
    };

  const extensions = new Map<Extension, Programs | null>();

  /** The programs of an extension; null where the engine refuses them. */
  function programsOf(extension: Extension): Programs | null {
    if (extension.name in programs) return programs;
    let own = extensions.get(extension);
    if (own === undefined) {
      try {
        own = compile(extension);
      } catch {
        own = null;
      }
      extensions.set(extension, own);
    }
    return own;
  }

  return {
    ...plain,
    name,
    simd: {
      run(extension, written, arrays, call) {
        const own = programsOf(extension);
        return own !== null && run(written, arrays, (...addresses) => call(own, ...addresses));
      },
    },
    room,
    wideRoom,
    alloc(size) {
      const array = room(size);
      return memory.addressOf(array) === -1 ? array : array.fill(0);
    },
    lasting: (size) => memory.lasting(size) ?? new Float32Array(size),
    step(compute) {
      const top = memory.top;
      steps++;
      try {
        return compute();
      } finally {
        steps--;
        memory.pop(top);
      }
    },

    matmul: product(plain.matmul, (_, k, n) => [k, 1, n, 1]),
    matmulTransposedB: product(plain.matmulTransposedB, (_, k) => [k, 1, 1, k]),
    matmulTransposedA: product(plain.matmulTransposedA, (m, _, n) => [1, m, n, 1]),

    add: map("add", true),
    sub: map("sub", true),
    mul: map("mul", true),
    div: map("div", true),
    addProduct: map("addProduct", false),
    reluBackward: map("reluBackward", false),
    scale: mapScaled("scale", true),
    addScaled: mapScaled("addScaled", false),
    relu(y, x) {
      const done = worthwhile(y) && run([y], [y, x], (to, x) => programs.relu(to, x, x, y.length, 0), true);
      if (!done) plain.relu(y, x);
    },

    fillRows(y, b, rows) {
      if (!run([y], [y, b], (y, from) => programs.fillRows(y, from, rows, b.length), true))
        plain.fillRows(y, b, rows);
    },
    sumRows(db, dy, rows) {
      const done = run([db], [db, dy], (to, dy) => programs.sumRows(to, dy, rows, db.length));
      if (!done) plain.sumRows(db, dy, rows);
    },
    sum(x) {
      let result = 0;
      const done =
        worthwhile(x) &&
        run([], [x], (from) => {
          result = programs.sum(from, x.length);
        });
      return done ? result : plain.sum(x);
    },
    dot(x, y) {
      let result = 0;
      const done =
        worthwhile(x) &&
        run([], [x, y], (x_, y_) => {
          result = programs.dot(x_, y_, x.length);
        });
      return done ? result : plain.dot(x, y);
    },

    softmax: mapRows("softmax"),
    logSoftmax: mapRows("logSoftmax"),
    softmaxBackward: mapRowsBack("softmaxBackward"),
    logSoftmaxBackward: mapRowsBack("logSoftmaxBackward"),
    distribution(p, logP, x, rows, cols, temperature) {
      const done = run(
        [p, logP],
        [p, logP, x, 2 * (cols + 8)],
        (p, logP, x, scratch) => programs.distribution(p, logP, x, rows, cols, scratch, temperature),
        true,
      );
      if (!done) plain.distribution(p, logP, x, rows, cols, temperature);
    },

    sgdStep(w, g, v, settings) {
      const { rate, momentum, decay, nesterov } = settings;
      const done =
        worthwhile(w) &&
        run(v === null ? [w] : [w, v], [w, g, v ?? 0], (to, g, v_) =>
          programs.sgdStep(to, g, v === null ? 0 : v_, w.length, rate, momentum, decay, Number(nesterov)),
        );
      if (!done) plain.sgdStep(w, g, v, settings);
    },
    adamStep(w, g, m, v, settings) {
      const { rate, beta1, beta2, epsilon, decay, root } = settings;
      const numbers = [rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, decay, root];
      const done =
        worthwhile(w) &&
        run([w, m, v], [w, g, m, v], (to, g, m, v) => programs.adamStep(to, g, m, v, w.length, ...numbers));
      if (!done) plain.adamStep(w, g, m, v, settings);
    },
  };
}
