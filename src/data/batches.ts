import { kindOf, requireFlag, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { type RandomState, RandomStream } from "../random.ts";
import { type Augmentation, augmented, requireAugmentation } from "./augmentation.ts";
import { balancedOrder, rowsByClass } from "./balanced-order.ts";
import { type Dataset, gatherRows, rowCount } from "./dataset.ts";

export interface BatchesOptions {
  /** Rows in a batch, at least 1. */
  readonly size: number;
  /** Draws a new order for every epoch. Left out: the order of the data. */
  readonly random?: RandomStream | undefined;
  /** Leaves out a last batch that is smaller than the others. Default false. */
  readonly dropLast?: boolean;
  /**
   * Draws every class that the data has equally often, give or take one: of a rare class the rows come several times in
   * an epoch, of a frequent one not all. An epoch is still as many rows as the data has. Needs `random` and a label for
   * every row. Default false.
   */
  readonly balanced?: boolean;
  /** Changes x on its way out, such as `ImageAugmentation`; labels stay as they are. Default: x as it is. */
  readonly augment?: Augmentation | undefined;
}

/** Where a loader stands; plain data. */
export interface BatchesState {
  /** Of the loader that it is of: rows of data, and rows in a batch. */
  readonly rows: number;
  readonly size: number;
  readonly epoch: number;
  /** Batches of this epoch that were handed out. */
  readonly position: number;
  /** The stream as it was before this epoch's order was drawn; null without one. */
  readonly random: RandomState | null;
  /** Only for a balanced loader. */
  readonly balanced?: boolean;
}

/**
 * A dataset in mini-batches. Iterating once is one epoch; iterating again is the next, in another order. An epoch that
 * was left early goes on where it stopped.
 *
 *     for (const { x, labels } of batches) …
 *
 * Every batch is new memory, so a graph may keep it.
 */
export class Batches implements Iterable<Dataset> {
  /** Batches in an epoch. */
  readonly perEpoch: number;
  readonly #dataset: Dataset;
  readonly #size: number;
  readonly #rows: number;
  readonly #random: RandomStream | null;
  readonly #augment: Augmentation | null;
  /** The rows of each class, where they are to be balanced. */
  readonly #classes: readonly (readonly number[])[] | null;
  #epoch = 0;
  #position = 0;
  #order: Uint32Array;
  #before: RandomState | null;

  constructor(dataset: Dataset, options: BatchesOptions) {
    const rows = rowCount("Batches", dataset);
    requireOptions("Batches", options, ["size", "random", "dropLast", "balanced", "augment"]);
    const { size, random = null, dropLast = false, balanced = false, augment = null } = options;
    requireFlag("Batches", "dropLast", dropLast);
    if (random !== null) requireInstance("Batches", "random, a RandomStream", random, RandomStream);
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new DistilgradError(
        "data",
        `Batches: size must be a whole number of at least 1, got ${kindOf(size)}`,
      );
    }
    this.perEpoch = dropLast ? Math.floor(rows / size) : Math.ceil(rows / size);
    if (this.perEpoch === 0) {
      const hint = dropLast && rows > 0 ? ` of ${size} without a smaller last one` : "";
      throw new DistilgradError("data", `Batches: ${rows} rows give no batch${hint}`);
    }
    requireFlag("Batches", "balanced", balanced);
    if (balanced && random === null) {
      throw new DistilgradError(
        "value",
        "Batches: balanced needs random, a RandomStream to draw each epoch from",
      );
    }
    if (augment !== null) requireAugmentation("Batches", augment);
    if (augment !== null && dataset.teacherLogits !== undefined) {
      throw new DistilgradError(
        "data",
        "Batches: the dataset's teacherLogits answer x as it is, not what augment makes of it; leave them out, so that the teacher is asked about each batch",
      );
    }
    this.#augment = augment;
    this.#classes = balanced ? rowsByClass("Batches", dataset) : null;
    this.#dataset = dataset;
    this.#size = size;
    this.#rows = rows;
    this.#random = random;
    this.#order = Uint32Array.from({ length: rows }, (_, i) => i);
    this.#before = random?.state() ?? null;
  }

  /** Epochs that were handed out to the end. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the next batch is the first of an epoch: true once the last of the one before was handed out. */
  get atEpochStart(): boolean {
    return this.#position === 0;
  }

  *[Symbol.iterator](): Generator<Dataset, void> {
    do yield this.next();
    while (!this.atEpochStart);
  }

  /** The next batch, of this epoch or, after its last, of the next one. */
  next(): Dataset {
    if (this.#position === 0) this.#draw();
    const start = this.#position * this.#size;
    const samples = this.#order.slice(start, start + this.#size);
    const taken = gatherRows(this.#dataset, samples);
    const batch = this.#augment
      ? { ...taken, x: augmented("Batches", this.#augment, taken.x, samples, this.#epoch) }
      : taken;
    if (++this.#position === this.perEpoch) {
      this.#position = 0;
      this.#epoch++;
      this.#before = this.#random?.state() ?? null;
    }
    return batch;
  }

  /** Where the loader stands. An augmentation has no state of its own: it is made from the epoch and the samples. */
  state(): BatchesState {
    // Between epochs the stream may have been used elsewhere, so what counts is where it is now.
    const random = this.#position === 0 ? (this.#random?.state() ?? null) : this.#before;
    return {
      rows: this.#rows,
      size: this.#size,
      epoch: this.#epoch,
      position: this.#position,
      random,
      ...(this.#classes && { balanced: true }),
    };
  }

  /** Goes on where a loader of the same data and settings stood. @throws when the state cannot be one of this loader's */
  restore(state: BatchesState): void {
    requireOptions("Batches", state, ["rows", "size", "epoch", "position", "random", "balanced"]);
    const { rows, size, epoch, position, random = null, balanced = false } = state;
    if (rows !== this.#rows || size !== this.#size) {
      throw new DistilgradError(
        "state",
        `Batches: the state is of ${rows} rows in batches of ${size}, this loader has ${this.#rows} in batches of ${this.#size}`,
      );
    }
    const whole =
      Number.isSafeInteger(epoch) && epoch >= 0 && Number.isSafeInteger(position) && position >= 0;
    if (!whole || position >= this.perEpoch) {
      throw new DistilgradError(
        "state",
        `Batches: position ${position} of epoch ${epoch} does not fit ${this.perEpoch} batches an epoch`,
      );
    }
    if ((random === null) !== (this.#random === null)) {
      throw new DistilgradError(
        "state",
        `Batches: the state is of a loader ${random === null ? "without" : "with"} a random stream, this one is ${this.#random ? "with" : "without"}`,
      );
    }
    if (balanced !== (this.#classes !== null)) {
      throw new DistilgradError(
        "state",
        `Batches: the state is of a loader ${balanced ? "with" : "without"} balanced classes, this one is ${this.#classes ? "with" : "without"}`,
      );
    }
    if (random) this.#random!.restore(random);
    this.#epoch = epoch;
    this.#position = position;
    if (position > 0) this.#draw();
  }

  #draw(): void {
    if (this.#random === null) return;
    this.#before = this.#random.state();
    this.#order = this.#classes
      ? balancedOrder(this.#classes, this.#random)
      : this.#random.permutation(this.#rows);
  }
}
