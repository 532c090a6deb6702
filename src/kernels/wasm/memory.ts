/**
 * Floor 0, annex: who owns which part of a module's memory. It has one size for good, since growing would empty every
 * view; what finds no place in it lies in ordinary arrays, and is copied in for a call.
 *
 *     | products pack here | step: a stack, upwards → … free … ← lasting: blocks, downwards |
 *
 * What a step makes is gone when the step is: its memory is taken again without being asked for. What lasts is given
 * back when the garbage collector finds that nobody holds its array.
 */
import type { Floats } from "../kernels.ts";

/** Programs may read this far beyond an array, and vectors want their bytes aligned. */
const SLACK = 64;
const ALIGNMENT = 64;

interface Block {
  start: number;
  end: number;
}

export class ModuleMemory {
  readonly buffer: ArrayBufferLike;
  /** Ascending, never touching. The first begins where the stack does, unless that place is taken. */
  readonly #free: Block[];
  /** The stack's end: from here on, memory is free for the taking. */
  #top: number;
  readonly #dropped: FinalizationRegistry<Block>;

  /** @param start where the module's own scratch ends */
  constructor(buffer: ArrayBufferLike, start: number) {
    this.buffer = buffer;
    this.#top = start;
    this.#free = [{ start, end: buffer.byteLength - SLACK }];
    this.#dropped = new FinalizationRegistry((block) => this.#release(block));
  }

  /** The address of an array in this memory, or −1 when it lies elsewhere. */
  addressOf(array: Floats | Int32Array): number {
    const place = (array as Partial<Lasting>)[placed];
    if (place !== undefined) return place.memory === this ? place.address : -1;
    // Nothing begins at 0 here; asked first, as asking a small array for its buffer makes one.
    return array.byteOffset !== 0 && array.buffer === this.buffer ? array.byteOffset : -1;
  }

  /** The stack's end, for `pop`. */
  get top(): number {
    return this.#top;
  }

  /** Takes the stack down to where it was. */
  pop(top: number): void {
    this.#top = top;
  }

  /** The address of `bytes` on the stack, or −1 when it is full. What is there is left as it is. */
  push(bytes: number): number {
    const start = this.#top;
    const end = start + aligned(bytes);
    const [first] = this.#free;
    if (first === undefined || start < first.start || end > first.end) return -1;
    this.#top = end;
    return start;
  }

  /** Zeros that stay as long as somebody holds the array, or a part of it made with `subarray`; null when full. */
  lasting(size: number): Float32Array | null {
    const bytes = aligned(size * 4);
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const block = this.#free[i];
      // The stack, which may be in use, stands in the first one.
      if (block.end - bytes < Math.max(block.start, this.#top)) continue;
      block.end -= bytes;
      const own = { start: block.end, end: block.end + bytes };
      if (block.end === block.start) this.#free.splice(i, 1);
      const array = new Float32Array(this.buffer, own.start, size).fill(0);
      this.#dropped.register(array, own);
      return lastingArray(array, { memory: this, address: own.start });
    }
    return null;
  }

  #release({ start, end }: Block): void {
    let i = this.#free.findIndex((block) => block.start > start);
    if (i === -1) i = this.#free.length;
    this.#free.splice(i, 0, { start, end });
    for (const at of [i + 1, i]) {
      const [left, right] = [this.#free[at - 1], this.#free[at]];
      if (left?.end !== right?.start || right === undefined) continue;
      left.end = right.end;
      this.#free.splice(at, 1);
    }
  }
}

const aligned = (bytes: number): number => Math.ceil((bytes + SLACK) / ALIGNMENT) * ALIGNMENT;

/** Where an array that lasts is. */
interface Place {
  readonly memory: ModuleMemory;
  readonly address: number;
}

const placed = /* @__PURE__ */ Symbol("place");
/** What a part is part of, and so keeps. */
const whole = /* @__PURE__ */ Symbol("whole");

interface Lasting extends Float32Array {
  readonly [placed]: Place;
}

/**
 * An array that is not told from one of its own. All of them share the module's buffer, which is large and not for
 * others to write to: `array.buffer` is a copy of these values alone instead, as `array.slice().buffer` is. And a part
 * of a shared buffer would not keep its whole from being collected; here it does.
 */
const lastingArray = (array: Float32Array, place: Place): Float32Array =>
  Object.defineProperties(array, { ...properties, [placed]: { value: place } });

const properties: PropertyDescriptorMap & ThisType<Lasting> = {
  buffer: {
    get() {
      return this.slice().buffer;
    },
  },
  byteOffset: { value: 0 },
  subarray: {
    value(start?: number, end?: number) {
      const part = Float32Array.prototype.subarray.call(this, start, end);
      const { memory } = this[placed];
      // Not yet a lasting one, it says where it is.
      const place = { memory, address: part.byteOffset };
      return Object.defineProperty(lastingArray(part, place), whole, { value: this });
    },
  },
};
