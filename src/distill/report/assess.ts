import { requireOptions } from "../../arguments.ts";
import { type Dataset, rowCount, unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { accuracy, agreement, type EvaluateOptions, predictLogits } from "../evaluate.ts";
import { requireAnswering, requireTemperatureOf, type Teacher } from "../teacher.ts";
import { type Calibration, calibration } from "./calibration.ts";
import { type ConfusionMatrix, confusionMatrix } from "./confusion-matrix.ts";
import { heldOutDivergence } from "./held-out-divergence.ts";
import { requireFiniteRows } from "./labelled-logits.ts";

export interface AssessOptions extends EvaluateOptions {
  /** Whom the student learned from. Default: the dataset's `teacherLogits`, where it has some. */
  readonly teacher?: Teacher;
}

/**
 * What a student does on data that it did not learn from: plain data, which JSON holds as it is. Shares are in [0, 1].
 * What rests on labels is null where no row has one, what rests on a teacher where there is none.
 */
export interface Assessment {
  readonly rows: number;
  readonly labelledRows: number;
  /** The share of labelled rows whose most likely class is their label. */
  readonly accuracy: number | null;
  /** Cross-entropy, the mean over labelled rows, in nats. */
  readonly loss: number | null;
  /** Whether it is right as often as it believes, in 15 bins. */
  readonly calibration: Calibration | null;
  /** Which classes it takes for which, and its scores for each. */
  readonly confusion: ConfusionMatrix | null;
  /** The share of all rows on which student and teacher name the same class. */
  readonly agreement: number | null;
  /** KL(teacher ‖ student) at temperature 1, the mean over all rows, in nats. */
  readonly divergence: number | null;
  /** As of the student. */
  readonly teacherAccuracy: number | null;
  /** The student's accuracy divided by the teacher's; null where the teacher's is 0, too. */
  readonly accuracyRetained: number | null;
}

/**
 * All that can be said of a student on one dataset, on its own and beside its teacher. Both keep their modes, and nothing
 * is learned.
 *
 * @param dataset rows with labels, or with −1 for some; without any label a teacher is needed
 * @throws when there is neither a label nor a teacher, on logits that are not finite, and on a model whose answers hold
 *   at another temperature than 1 only, such as `ensemble.at(4)`
 */
export function assess(student: Teacher, dataset: Dataset, options: AssessOptions = {}): Assessment {
  requireAnswering("assess", "student", student);
  requireTemperatureOf("assess", "the student", student, 1);
  requireOptions("assess", options, ["teacher", "batchSize"]);
  const { teacher, ...batches } = options;
  if (teacher !== undefined) {
    requireAnswering("assess", "teacher", teacher);
    requireTemperatureOf("assess", "the teacher", teacher, 1);
  }
  const rows = rowCount("assess", dataset);
  const { x, labels } = dataset;
  const labelledRows = labels?.filter((label) => label !== unlabelled).length ?? 0;
  if (labelledRows === 0 && teacher === undefined && dataset.teacherLogits === undefined) {
    throw new DistilgradError("labels", "assess: expected labels or a teacher to compare with, got neither");
  }
  const logits = predictLogits(student, x, batches);
  requireFiniteRows("assess", logits, "logits of the student");
  const teacherLogits = teacher === undefined ? dataset.teacherLogits : predictLogits(teacher, x, batches);
  if (teacherLogits !== undefined) requireFiniteRows("assess", teacherLogits, "logits of the teacher");
  // First of all, as it asks whether the two have the same classes.
  const divergence = teacherLogits ? heldOutDivergence(logits, teacherLogits) : null;
  const known = labelledRows > 0 ? labels : undefined;
  const ownAccuracy = known ? accuracy(logits, known) : null;
  const teacherAccuracy = known && teacherLogits ? accuracy(teacherLogits, known) : null;
  return {
    rows,
    labelledRows,
    accuracy: ownAccuracy,
    loss: known ? crossEntropy(logits, known, { ignoredLabel: unlabelled }).item() : null,
    calibration: known ? calibration(logits, known) : null,
    confusion: known ? confusionMatrix(logits, known) : null,
    agreement: teacherLogits ? agreement(logits, teacherLogits) : null,
    divergence,
    teacherAccuracy,
    accuracyRetained: ownAccuracy !== null && teacherAccuracy ? ownAccuracy / teacherAccuracy : null,
  };
}
