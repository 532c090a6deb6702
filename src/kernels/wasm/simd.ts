/**
 * Floor 0, annex: the kernels as calls of programs. An operand in the module's memory is named by its address; another
 * is copied onto the stack for the call, and a result back. What finds no place there, and what is not worth a call,
 * is left to the plain set: the bits are the same.
 */
import type { Floats, Kernels } from "../kernels.ts";
import { plainFloat32 } from "../plain-float32.ts";
import type { Extension, Programs, Simd } from "./extension.ts";
import type { ModuleMemory } from "./memory.ts";

/** Below so many values, a plain loop is done before a call has begun. */
const WORTHWHILE = 32;

/** @param compile the programs of an extension, in a module of their own */
export function simdKernels(
  name: string,
  memory: ModuleMemory,
  programs: Programs,
  compile: (extension: Extension) => Programs,
): Kernels {
  const plain = plainFloat32;
  const floats = new Float32Array(memory.buffer);
  let steps = 0;

  /** As `alloc`, with whatever was there before. */
  const room = (size: number): Float32Array => {
    const at = steps > 0 ? memory.push(4 * size) : -1;
    return at === -1 ? new Float32Array(size) : new Float32Array(memory.buffer, at, size);
  };

  /** The address of x for a call: its own, or that of a copy on the stack. */
  function enter(x: Floats, read = true): number {
    const own = memory.addressOf(x);
    if (own !== -1) return own;
    const at = memory.push(4 * x.length);
    if (at === -1) throw full;
    if (read) floats.set(x, at >> 2);
    return at;
  }

  /** Copies back what a call has written, where that is a copy: between `top` and the stack's end. */
  function leave(y: Floats, at: number, top: number): void {
    if (at >= top && at < memory.top) y.set(floats.subarray(at >> 2, (at >> 2) + y.length));
  }

  /** Lets `run` use the stack from `top` on; false, with nothing written, when there was no room. */
  function call(run: (top: number) => void): boolean {
    const top = memory.top;
    try {
      run(top);
      return true;
    } catch (error) {
      if (error !== full) throw error;
      return false;
    } finally {
      memory.pop(top);
    }
  }

  /** Room for a row in float64 and eight values more. */
  function scratchFor(cols: number): number {
    const at = memory.push(8 * (cols + 8));
    if (at === -1) throw full;
    return at;
  }

  /** y from a and b, or from y as well; s is a number that the program reads. */
  const map =
    (name: "add" | "sub" | "mul" | "div" | "addProduct" | "reluBackward", reads: boolean): Kernels["add"] =>
    (y, a, b) => {
      const program = programs[name];
      if (
        y.length < WORTHWHILE ||
        !call((top) => {
          const to = enter(y, reads);
          program(to, enter(a), enter(b), y.length, 0);
          leave(y, to, top);
        })
      ) {
        plain[name](y, a, b);
      }
    };
  const mapScaled =
    (name: "scale" | "addScaled", reads: boolean): Kernels["scale"] =>
    (y, s, x) => {
      const program = programs[name];
      if (
        y.length < WORTHWHILE ||
        !call((top) => {
          const to = enter(y, reads);
          const from = enter(x);
          program(to, from, from, y.length, s);
          leave(y, to, top);
        })
      ) {
        plain[name](y, s, x);
      }
    };
  const mapRows =
    (name: "softmax" | "logSoftmax"): Kernels["softmax"] =>
    (y, x, rows, cols) => {
      const program = programs[name];
      if (
        !call((top) => {
          const to = enter(y, false);
          program(to, enter(x), rows, cols, scratchFor(cols));
          leave(y, to, top);
        })
      ) {
        plain[name](y, x, rows, cols);
      }
    };
  const mapRowsBack =
    (name: "softmaxBackward" | "logSoftmaxBackward"): Kernels["softmaxBackward"] =>
    (dx, y, dy, rows, cols) => {
      const program = programs[name];
      if (
        !call((top) => {
          const to = enter(dx);
          program(to, enter(y), enter(dy), rows, cols);
          leave(dx, to, top);
        })
      ) {
        plain[name](dx, y, dy, rows, cols);
      }
    };

  const product =
    (
      plainly: Kernels["matmul"],
      strides: (m: number, k: number, n: number) => readonly [ai: number, ap: number, bp: number, bj: number],
    ): Kernels["matmul"] =>
    (c, a, b, m, k, n) => {
      if (m * n * k < WORTHWHILE) return plainly(c, a, b, m, k, n);
      const [ai, ap, bp, bj] = strides(m, k, n);
      const done = call((top) => {
        const to = enter(c);
        programs.product(to, enter(a), 4 * ai, 4 * ap, enter(b), 4 * bp, 4 * bj, m, k, n);
        leave(c, to, top);
      });
      if (!done) plainly(c, a, b, m, k, n);
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

  /** The memory from an address on, as an array like another one. */
  const viewLike = (array: Floats | Int32Array, at: number): Floats | Int32Array =>
    new (array.constructor as Float32ArrayConstructor)(memory.buffer, at, array.length);

  const simd: Simd = {
    run(extension, written, arrays, call) {
      const own = programsOf(extension);
      if (own === null) return false;
      const top = memory.top;
      const addresses: number[] = [];
      for (const array of arrays) {
        const fresh = typeof array === "number";
        let at = fresh ? -1 : memory.addressOf(array);
        if (at === -1) {
          const length = fresh ? array : array.length;
          at = memory.push(fresh ? 4 * array : array.byteLength);
          if (at === -1) break;
          if (fresh) floats.fill(0, at >> 2, (at >> 2) + length);
          else viewLike(array, at).set(array);
        }
        addresses.push(at);
      }
      const done = addresses.length === arrays.length;
      if (done) {
        call(own, ...addresses);
        for (const array of written) {
          if (memory.addressOf(array) !== -1) continue;
          const at = addresses[arrays.indexOf(array)];
          array.set(viewLike(array, at));
        }
      }
      memory.pop(top);
      return done;
    },
  };

  return {
    ...plain,
    name,
    simd,
    alloc(size) {
      const array = room(size);
      return memory.addressOf(array) === -1 ? array : array.fill(0);
    },
    room,
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
    add: map("add", false),
    sub: map("sub", false),
    mul: map("mul", false),
    div: map("div", false),
    addProduct: map("addProduct", true),
    reluBackward: map("reluBackward", true),
    scale: mapScaled("scale", false),
    addScaled: mapScaled("addScaled", true),
    softmax: mapRows("softmax"),
    logSoftmax: mapRows("logSoftmax"),
    softmaxBackward: mapRowsBack("softmaxBackward"),
    logSoftmaxBackward: mapRowsBack("logSoftmaxBackward"),

    relu(y, x) {
      if (
        y.length < WORTHWHILE ||
        !call((top) => {
          const to = enter(y, false);
          const from = enter(x);
          programs.relu(to, from, from, y.length, 0);
          leave(y, to, top);
        })
      ) {
        plain.relu(y, x);
      }
    },
    fillRows(y, b, rows) {
      if (
        !call((top) => {
          const to = enter(y, false);
          programs.fillRows(to, enter(b), rows, b.length);
          leave(y, to, top);
        })
      ) {
        plain.fillRows(y, b, rows);
      }
    },
    sumRows(db, dy, rows) {
      if (
        !call((top) => {
          const to = enter(db);
          programs.sumRows(to, enter(dy), rows, db.length);
          leave(db, to, top);
        })
      ) {
        plain.sumRows(db, dy, rows);
      }
    },
    sum(x) {
      let result = 0;
      const done =
        x.length >= WORTHWHILE &&
        call(() => {
          result = programs.sum(enter(x), x.length);
        });
      return done ? result : plain.sum(x);
    },
    dot(x, y) {
      let result = 0;
      const done =
        x.length >= WORTHWHILE &&
        call(() => {
          result = programs.dot(enter(x), enter(y), x.length);
        });
      return done ? result : plain.dot(x, y);
    },
    distribution(p, logP, x, rows, cols, temperature) {
      const doubles = new Float64Array(memory.buffer);
      if (
        !call(() => {
          const [toP, toLogP] = [memory.push(8 * p.length), memory.push(8 * p.length)];
          if (toP === -1 || toLogP === -1) throw full;
          programs.distribution(toP, toLogP, enter(x), rows, cols, scratchFor(cols), temperature);
          p.set(doubles.subarray(toP >> 3, (toP >> 3) + p.length));
          logP.set(doubles.subarray(toLogP >> 3, (toLogP >> 3) + p.length));
        })
      ) {
        plain.distribution(p, logP, x, rows, cols, temperature);
      }
    },
    sgdStep(w, g, v, settings) {
      const { rate, momentum, decay, nesterov } = settings;
      if (
        w.length < WORTHWHILE ||
        !call((top) => {
          const [toW, toV] = [enter(w), v === null ? 0 : enter(v)];
          programs.sgdStep(toW, enter(g), toV, w.length, rate, momentum, decay, Number(nesterov));
          leave(w, toW, top);
          if (v !== null) leave(v, toV, top);
        })
      ) {
        plain.sgdStep(w, g, v, settings);
      }
    },
    adamStep(w, g, m, v, settings) {
      const { rate, beta1, beta2, epsilon, decay, root } = settings;
      if (
        w.length < WORTHWHILE ||
        !call((top) => {
          const [toW, toM, toV] = [enter(w), enter(m), enter(v)];
          programs.adamStep(
            ...[toW, enter(g), toM, toV, w.length],
            ...[rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, decay, root],
          );
          leave(w, toW, top);
          leave(m, toM, top);
          leave(v, toV, top);
        })
      ) {
        plain.adamStep(w, g, m, v, settings);
      }
    },
  };
}

/** Thrown where the stack is full. */
const full = {};
