import { kindOf, requireOptions } from "../arguments.ts";
import { unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import type { Module } from "../nn/module.ts";
import { add } from "../ops/add.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { scale } from "../ops/scale.ts";
import { requireTemperature, softTargetLoss } from "../ops/soft-target-loss.ts";
import { formatShape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { type Part, requirePartLabels, type Share, whole } from "./parts.ts";
import {
  mayKeepAnswers,
  requireSeparate,
  requireTemperatureOf,
  type Teacher,
  teacherLogits,
} from "./teacher.ts";
import { type TensorsOf, Trainer, type TrainerOptions, trainerOptions } from "./trainer.ts";

export interface KnowledgeDistillationOptions extends TrainerOptions {
  /** Maps x to logits, and is left as it is. */
  readonly teacher: Teacher;
  /** The model that learns. */
  readonly student: Module;
  /** T from 1e-8 to 1e8: softens both distributions; 1 leaves them as they are. Default 4. */
  readonly temperature?: number;
  /** α in [0, 1], the weight of the HARD loss: 1 ignores the teacher, 0 ignores the labels. Default 0.7. */
  readonly alpha?: number;
}

/** The names of this trainer's options. */
export const distillationOptions = /* @__PURE__ */ ["teacher", "student"].concat(
  trainerOptions,
  "temperature",
  "alpha",
);

/** The parts of a loss, of the type that each has: tensors to go back from, or numbers to report. */
export interface DistillationLosses<T> {
  /** α · hard + (1 − α) · soft */
  readonly total: T;
  /** Cross-entropy with the labels: the mean over labelled rows, 0 when there are none. */
  readonly hard: T;
  /** T² · KL(teacher ‖ student), the mean over all rows. */
  readonly soft: T;
}

/**
 * Teaches a student from labels and from a teacher's softened answers.
 *
 *     L = α · crossEntropy(z, labels) + (1 − α) · T² · KL( softmax(v / T) ‖ softmax(z / T) )
 *
 * with student logits z and teacher logits v. A term of weight 0 is not computed and reported as 0: with α = 1 the
 * teacher is not asked, with α = 0 labels are not needed.
 *
 * @see Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531, §2
 */
export class KnowledgeDistillationTrainer<
  Losses extends DistillationLosses<number> = DistillationLosses<number>,
> extends Trainer<Losses> {
  readonly teacher: Teacher;
  readonly temperature: number;
  readonly alpha: number;

  constructor(options: KnowledgeDistillationOptions, besides: readonly Module[] = []) {
    requireOptions("trainer", options, distillationOptions);
    const { teacher, student, temperature = 4, alpha = 0.7, ...common } = options;
    super(student, common, besides);
    requireSeparate("trainer", teacher, student, common.optimizer.parameters);
    if (!(typeof alpha === "number" && alpha >= 0 && alpha <= 1)) {
      throw new DistilgradError(
        "value",
        `trainer: alpha must be in [0, 1], got ${kindOf(alpha)}; it weighs the hard loss`,
      );
    }
    this.teacher = teacher;
    this.temperature = requireTemperature("trainer", temperature);
    requireTemperatureOf("trainer", "the teacher", teacher, temperature);
    this.alpha = alpha;
  }

  /** The model that learns. */
  get student(): Module {
    return this.model;
  }

  /**
   * The loss of one batch, differentiable.
   *
   * @param studentLogits `[rows, classes]`
   * @param teacherLogits `[rows, classes]`; not read when α = 1
   * @param labels a class for each row, −1 for none; left out when no row has one
   * @param share what hard and soft are multiplied with where the rows are a part of a batch. Default: they are all
   */
  distillationLoss(
    studentLogits: Tensor,
    teacherLogits: Tensor | undefined,
    labels?: ArrayLike<number>,
    share: Share = whole,
  ): DistillationLosses<Tensor> {
    const { alpha, temperature } = this;
    const nothing = zeros([], { kernels: studentLogits.kernels });
    if (alpha === 1 && labels === undefined) {
      throw new DistilgradError(
        "labels",
        "distillationLoss: alpha is 1, which ignores the teacher, and there are no labels: nothing to learn from",
      );
    }
    if (alpha < 1) requireMatchingLogits(studentLogits, teacherLogits);
    const hard =
      alpha === 0 || labels === undefined
        ? nothing
        : scale(crossEntropy(studentLogits, labels, { ignoredLabel: unlabelled }), share.labelled);
    const soft =
      alpha === 1
        ? nothing
        : scale(softTargetLoss(studentLogits, teacherLogits!, { temperature }), share.rows);
    // With one term the total is that term, to the last bit.
    if (alpha === 1) return { total: hard, hard, soft };
    if (alpha === 0) return { total: soft, hard, soft };
    return { total: add(scale(hard, alpha), scale(soft, 1 - alpha)), hard, soft };
  }

  override lossWeights(): Losses {
    const weights: DistillationLosses<number> = { total: 1, hard: this.alpha, soft: 1 - this.alpha };
    return weights as Losses;
  }

  /** A teacher that may keep its answers is asked before the step. */
  protected override prepare(part: Part): void {
    if (this.alpha < 1 && mayKeepAnswers(this.teacher)) {
      part.teacherLogits ??= teacherLogits(this.teacher, part.x);
    }
  }

  protected override losses(part: Part): TensorsOf<Losses> {
    if (this.alpha < 1) part.teacherLogits ??= teacherLogits(this.teacher, part.x);
    const studentLogits = this.student.forward(part.x);
    requirePartLabels(part, studentLogits);
    const losses: DistillationLosses<Tensor> = this.distillationLoss(
      studentLogits,
      part.teacherLogits,
      part.labels,
      part.share,
    );
    return losses as TensorsOf<Losses>;
  }
}

function requireMatchingLogits(student: Tensor, teacher: Tensor | undefined): void {
  if (!(teacher instanceof Tensor)) {
    throw new DistilgradError("value", "distillationLoss: teacherLogits must be a tensor unless alpha is 1");
  }
  if (!sameShape(student.shape, teacher.shape)) {
    throw new DistilgradError(
      "shape",
      `distillationLoss: student logits are ${formatShape(student.shape)} and teacher logits ${formatShape(teacher.shape)}; both need the same rows and the same classes in the same order`,
    );
  }
}
