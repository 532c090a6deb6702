import { kindOf, requireOptions, requireWhole } from "../../arguments.ts";
import { type Augmentation, augmented, requireAugmentation } from "../../data/augmentation.ts";
import { type Dataset, rowCount, rowsBetween } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { sha256OfFloats } from "../../sha256.ts";
import { formatShape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { predictLogits } from "../evaluate.ts";
import type { Teacher } from "../teacher.ts";
import {
  firstDifference,
  parseDescription,
  printDescription,
  type SoftTargetDescription,
} from "./description.ts";
import { answersIn, bytesOfHex, KEY } from "./format.ts";
import { codecOf, requireMode, type SoftTargetMode } from "./mode.ts";
import { requireShard, type Shard, shardRows } from "./shard-rows.ts";
import { requireFloat32, rowHashes, SoftTargets } from "./soft-targets.ts";
import { teacherIdentity, temperatureOf } from "./teacher-identity.ts";

export interface RecordSoftTargetsOptions {
  /** How much of each answer is kept. Default "float32": all of it. */
  readonly mode?: SoftTargetMode;
  /**
   * What the teacher is called, and no other one. A teacher that is no module, or has a member that is none, must have
   * it; a module is told by its weights besides, but not by settings such as an ensemble's. Default: none.
   */
  readonly teacherName?: string;
  /** The classes in their order, so that a student with other ones can be refused. */
  readonly classNames?: readonly string[];
  /** Answers what the same augmentation shows in training. Needs `epochs`. Default: samples as they are. */
  readonly augment?: Augmentation;
  /** From epoch 0 on, as many as the training will have. Only with `augment`. */
  readonly epochs?: number;
  /** Answers the rows of one shard only: `mergeSoftTargets` joins them. Default: all rows. */
  readonly shard?: Shard;
  /** Rows that go through the teacher at once; it changes memory, not results. Default 256. */
  readonly batchSize?: number;
}

/** The names of these options. */
const recordOptions = ["mode", "teacherName", "classNames", "augment", "epochs", "shard", "batchSize"];

/**
 * Asks a teacher about every sample and keeps its answers. It runs in evaluation mode, without a graph, and is left as
 * it is.
 *
 * @param dataset what the student will be trained on, in float32; a shard is given all of it as well, as samples are
 *   augmented by their index. Only x is read
 * @throws `nonfinite` on logits that are NaN or infinite, `value` on those that float16 does not hold, `data` where equal
 *   samples get different answers
 */
export function recordSoftTargets(
  teacher: Teacher,
  dataset: Dataset,
  options: RecordSoftTargetsOptions = {},
): SoftTargets {
  const plan = planRecording(teacher, dataset, options);
  const { start, end, epochs } = plan;
  const own = rowsBetween(dataset.x, start, end);
  const samples = Uint32Array.from({ length: end - start }, (_, i) => start + i);
  const keys = new Uint8Array(KEY * (end - start) * epochs);
  let description: SoftTargetDescription | undefined;
  let records = new Uint8Array(0);
  for (let epoch = 0, answer = 0; epoch < epochs; epoch++) {
    const x = options.augment ? augmented("recordSoftTargets", options.augment, own, samples, epoch) : own;
    const logits = predictLogits(teacher, x, { batchSize: options.batchSize ?? 256 });
    const nameOf = (row: number): string =>
      `row ${start + row}${options.augment ? ` in epoch ${epoch}` : ""}`;
    requireFinite(logits, nameOf);
    description ??= described(plan, logits.shape[1]);
    const codec = codecOf(description.mode, description.classes);
    const { classes } = description;
    if (epoch === 0) records = new Uint8Array(codec.bytes * answersIn(description));
    else if (logits.shape[1] !== classes) {
      throw new DistilgradError(
        "shape",
        `recordSoftTargets: expected ${classes} classes as in epoch 0, got ${formatShape(logits.shape)} in epoch ${epoch}`,
      );
    }
    const view = new DataView(records.buffer);
    for (const [row, key] of rowHashes(x).entries()) {
      keys.set(bytesOfHex(key), KEY * answer);
      codec.write(view, codec.bytes * answer, logits.data, row * classes, (column, what) => {
        throw new DistilgradError(
          "value",
          `recordSoftTargets: expected logits ${what} for ${nameOf(row)}, class ${column}; take "float32"`,
        );
      });
      answer++;
    }
  }
  return new SoftTargets({ description: description!, keys, records });
}

/** What is known of a recording before the teacher is asked. */
type RecordingPlan = Omit<SoftTargetDescription, "classes">;

/**
 * The first field in which a store is not what these arguments would record; null where there is none. The teacher is not
 * asked.
 */
export function differenceFromPlan(
  description: SoftTargetDescription,
  teacher: Teacher,
  dataset: Dataset,
  options: RecordSoftTargetsOptions,
): string | null {
  return firstDifference(planRecording(teacher, dataset, options), description);
}

/** The recording that these arguments ask for. @throws on whatever is wrong with them */
function planRecording(teacher: Teacher, dataset: Dataset, options: RecordSoftTargetsOptions): RecordingPlan {
  const where = "recordSoftTargets";
  requireOptions(where, options, recordOptions);
  const { augment, epochs, teacherName, classNames } = options;
  const { mode = "float32", shard = { index: 0, count: 1 } } = options;
  const rows = rowCount(where, dataset);
  requireFloat32(where, dataset.x);
  requireShard(where, shard);
  const { start, end } = shardRows(rows, shard.index, shard.count);
  if (start === end) {
    throw new DistilgradError(
      "data",
      `${where}: expected at least one row, got none in shard ${shard.index} of ${shard.count} of ${rows} rows`,
    );
  }
  if ((augment === undefined) !== (epochs === undefined)) {
    throw new DistilgradError(
      "value",
      `${where}: augment and epochs go together, got only ${augment ? "augment" : "epochs"}; a sample that is not augmented has one answer for all epochs`,
    );
  }
  if (augment !== undefined) requireAugmentation(where, augment);
  if (epochs !== undefined) requireWhole(where, "epochs", epochs, 1);
  if (classNames !== undefined) requireNames(where, classNames);
  return {
    teacher: teacherIdentity(where, teacher, teacherName),
    temperature: temperatureOf(where, teacher),
    mode: requireMode(where, mode, Number.POSITIVE_INFINITY),
    classNames: classNames ?? null,
    data: sha256OfFloats([dataset.x.data]),
    rows,
    start,
    end,
    epochs: epochs ?? 1,
    augmentation: augment ? settingsOf(augment) : null,
  };
}

/** The plan with what the first answers say. */
function described(plan: RecordingPlan, classes: number): SoftTargetDescription {
  if (plan.classNames !== null && plan.classNames.length !== classes) {
    throw new DistilgradError(
      "value",
      `recordSoftTargets: expected a name for each of ${classes} classes, got ${plan.classNames.length}`,
    );
  }
  requireMode("recordSoftTargets", plan.mode, classes);
  // Whatever can't be read again, such as half a surrogate pair in a name, is refused now.
  return parseDescription("recordSoftTargets", printDescription({ ...plan, classes }));
}

/** The settings that an augmentation shows, for people, and to tell a part of another recording. */
function settingsOf(augment: Augmentation): string {
  const shown = Object.entries(augment).filter(([, value]) =>
    ["number", "string", "boolean"].includes(typeof value),
  );
  return shown.map(([name, value]) => `${name} ${value}`).join(", ") || "an augmentation without settings";
}

function requireNames(where: string, names: readonly string[]): void {
  const isList = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (isList && new Set(names).size === names.length) return;
  throw new DistilgradError(
    "value",
    `${where}: classNames must be a list of different texts, got ${isList ? JSON.stringify(names) : kindOf(names)}`,
  );
}

function requireFinite(logits: Tensor, nameOf: (row: number) => string): void {
  const at = logits.data.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const classes = logits.shape[1];
  throw new DistilgradError(
    "nonfinite",
    `recordSoftTargets: expected finite logits, got ${logits.data[at]} for ${nameOf(Math.floor(at / classes))}, class ${at % classes}`,
  );
}
