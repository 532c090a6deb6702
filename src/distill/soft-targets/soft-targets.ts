import { kindOf, requireOptions } from "../../arguments.ts";
import { type Dataset, rowCount, unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { ordinary } from "../../kernels/ordinary.ts";
import { precisionOf } from "../../kernels/rounding.ts";
import { requireLabels } from "../../labels.ts";
import { sha256OfFloats } from "../../sha256.ts";
import { Tensor } from "../../tensor.ts";
import type { Teacher } from "../teacher.ts";
import type { Codec } from "./codec.ts";
import { inWords, type SoftTargetDescription } from "./description.ts";
import { answersIn, hexAt, KEY, readStore, type Stored, writeStore } from "./format.ts";
import { codecOf } from "./mode.ts";
import { teacherIdentity } from "./teacher-identity.ts";

/** What a store is expected to be; what is left out may be anything. */
export interface ExpectedSoftTargets {
  /** Whose answers they are: a module with these weights. */
  readonly teacher?: Teacher;
  /** As it was called when it was asked; without `teacher`, that of a teacher that is no module. */
  readonly teacherName?: string;
  /** The temperature by which the answers are to be softened. */
  readonly temperature?: number;
  /** The classes in their order. */
  readonly classNames?: readonly string[];
}

/**
 * A teacher's answers to samples, so that a student can learn from it where it is not.
 *
 * A sample is found by its content, the SHA-256 of its values in float32: in any order, batch or subset, augmented or
 * not. What was never recorded is refused, so an answer can't be given to another sample. With mode "float32" a student
 * comes out with the bits that the teacher itself would have given it.
 *
 *     const targets = readSoftTargets(bytes);
 *     new KnowledgeDistillationTrainer({ teacher: targets, student, optimizer });   // looks every batch up
 *     new Batches(targets.attach(dataset), { size: 64 });                           // or once for a fixed set
 *
 * As a teacher it serves augmented batches as well, which are looked up as they come.
 */
export class SoftTargets {
  readonly description: SoftTargetDescription;
  readonly #stored: Stored;
  readonly #codec: Codec;
  readonly #records: DataView;
  /** The number of the answer to each sample, by the sample's SHA-256. */
  readonly #answers = new Map<string, number>();

  /** What `recordSoftTargets`, `readSoftTargets` and `mergeSoftTargets` make. @throws on two answers to one sample */
  constructor(stored: Stored) {
    if (!(stored?.keys instanceof Uint8Array)) {
      throw new DistilgradError(
        "value",
        `SoftTargets: expected what a store holds, got ${kindOf(stored)}; recordSoftTargets and readSoftTargets make stores`,
      );
    }
    const { description, keys, records } = stored;
    this.description = description;
    this.#stored = stored;
    this.#codec = codecOf(description.mode, description.classes);
    this.#records = new DataView(records.buffer, records.byteOffset, records.length);
    const { bytes } = this.#codec;
    const answers = answersIn(description);
    for (let answer = 0; answer < answers; answer++) {
      const key = hexAt(keys, answer * KEY);
      const known = this.#answers.get(key);
      if (known === undefined) this.#answers.set(key, answer);
      else if (!sameBytes(records, known * bytes, answer * bytes, bytes)) {
        throw new DistilgradError(
          "data",
          `SoftTargets: a teacher must answer equal samples alike, got two answers to ${this.#nameOf(known)} and ${this.#nameOf(answer)}; was it in training mode?`,
        );
      }
    }
  }

  /** How many different samples have an answer. */
  get size(): number {
    return this.#answers.size;
  }

  /** The only temperature at which the answers hold; null where they hold at any. A trainer with another one refuses. */
  get temperature(): number | null {
    return this.description.temperature;
  }

  /** As `temperature`: by this name a trainer asks any teacher. */
  get onlyTemperature(): number | null {
    return this.temperature;
  }

  /**
   * The teacher's logits: what makes this a teacher.
   *
   * @param x `[rows, …]` in float32
   * @returns `[rows, classes]`, as exact as the mode
   * @throws `data` where rows are not among the samples, saying which and how many; nothing is guessed for them
   */
  forward(x: Tensor): Tensor {
    const rows = rowCount("SoftTargets", { x });
    requireFloat32("SoftTargets", x);
    const { classes } = this.description;
    const found = rowHashes(x).map((key) => this.#answers.get(key));
    const unknown = found.filter((answer) => answer === undefined).length;
    if (unknown > 0) {
      throw new DistilgradError(
        "data",
        `SoftTargets: expected samples that were recorded, got ${unknown} of ${rows} rows that were not, the first of them row ${found.indexOf(undefined)}; ${this.#recorded()}`,
      );
    }
    const logits = ordinary(x.kernels, rows * classes);
    for (let row = 0; row < rows; row++) {
      this.#codec.read(this.#records, found[row]! * this.#codec.bytes, logits, row * classes);
    }
    return new Tensor(logits, [rows, classes], x.kernels);
  }

  /**
   * The same dataset with the teacher's logits.
   *
   * @param dataset in float32, in any order, whole or in part
   * @throws as `forward` and `verify` do; when the dataset has teacherLogits already, or a label that is no class;
   *   when answers hold at one temperature only and it is not expected
   */
  attach<D extends Dataset>(
    dataset: D,
    expected: ExpectedSoftTargets = {},
  ): D & { readonly teacherLogits: Tensor } {
    const rows = rowCount("SoftTargets.attach", dataset);
    this.verify(expected);
    const { temperature } = this;
    if (temperature !== null && expected.temperature === undefined) {
      throw new DistilgradError(
        "model",
        `SoftTargets.attach: the answers hold at temperature ${temperature} only, which a dataset can't say; pass { temperature: ${temperature} } if it is the trainer's`,
      );
    }
    if (dataset.teacherLogits !== undefined) {
      throw new DistilgradError(
        "data",
        "SoftTargets.attach: the dataset has teacherLogits already; leave them out",
      );
    }
    if (dataset.labels !== undefined) {
      requireLabels("SoftTargets.attach", dataset.labels, rows, this.description.classes, unlabelled);
    }
    return { ...dataset, teacherLogits: this.forward(dataset.x) };
  }

  /** Requires the answers of this teacher about these classes. @returns this store */
  verify(expected: ExpectedSoftTargets): this {
    requireOptions("SoftTargets.verify", expected, ["teacher", "teacherName", "temperature", "classNames"]);
    const { teacher, teacherName, temperature, classNames } = expected;
    const own = this.description;
    if (teacher !== undefined || teacherName !== undefined) {
      const wanted =
        teacher === undefined
          ? `name:${teacherName}`
          : teacherIdentity("SoftTargets.verify", teacher, teacherName);
      if (wanted !== own.teacher) {
        throw new DistilgradError(
          "model",
          `SoftTargets.verify: expected answers of the teacher ${wanted}, got those of ${own.teacher}`,
        );
      }
    }
    if (temperature !== undefined && own.temperature !== null && temperature !== own.temperature) {
      throw new DistilgradError(
        "model",
        `SoftTargets.verify: expected answers that hold at temperature ${temperature}, got those that hold at ${own.temperature} only`,
      );
    }
    if (classNames !== undefined && inWords(classNames) !== inWords(own.classNames)) {
      throw new DistilgradError(
        "data",
        `SoftTargets.verify: expected answers about the classes ${inWords(classNames)}, got ${own.classNames === null ? `${own.classes} without names` : inWords(own.classNames)}`,
      );
    }
    return this;
  }

  /** The store as bytes, for `readSoftTargets`; the same store gives the same bytes. */
  bytes(): Uint8Array {
    return writeStore(this.#stored);
  }

  /** Keys and records, as `mergeSoftTargets` joins them; not to be written to. */
  get stored(): Stored {
    return this.#stored;
  }

  #nameOf(answer: number): string {
    const { start, end, augmentation } = this.description;
    const row = `row ${start + (answer % (end - start))}`;
    return augmentation === null ? row : `${row} in epoch ${Math.floor(answer / (end - start))}`;
  }

  #recorded(): string {
    const { start, end, rows, epochs, augmentation } = this.description;
    const part = `rows ${start} to ${end - 1} of ${rows}`;
    return augmentation === null
      ? `the store has ${part} as they are`
      : `the store has ${part} in ${epochs === 1 ? "epoch 0" : `epochs 0 to ${epochs - 1}`} with ${augmentation}`;
  }
}

/**
 * The store that `SoftTargets.bytes` made these bytes of.
 *
 * @throws `data` on anything else: another kind of file, another version, bytes that are missing, added or changed
 */
export const readSoftTargets = (bytes: Uint8Array): SoftTargets =>
  new SoftTargets(readStore("readSoftTargets", bytes));

/** The SHA-256 of each row's values. */
export function rowHashes(x: Tensor): string[] {
  const width = x.size / x.shape[0];
  return Array.from({ length: x.shape[0] }, (_, row) =>
    sha256OfFloats([x.data.subarray(row * width, (row + 1) * width)]),
  );
}

/** Requires the precision in which samples are recorded: in another one their values are others. */
export function requireFloat32(where: string, x: Tensor): void {
  if (x.kernels.bytesPerElement !== 4) {
    throw new DistilgradError("kernels", `${where}: expected x in float32, got ${precisionOf(x.kernels)}`);
  }
}

function sameBytes(bytes: Uint8Array, one: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[one + i] !== bytes[other + i]) return false;
  return true;
}
