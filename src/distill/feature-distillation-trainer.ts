import { kindOf, requireOptions } from "../arguments.ts";
import type { Dataset } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import type { Features, Module } from "../nn/module.ts";
import { add } from "../ops/add.ts";
import { scale } from "../ops/scale.ts";
import type { Tensor } from "../tensor.ts";
import { featureMatchingLoss } from "./feature-matching-loss.ts";
import {
  type DistillationLosses,
  distillationOptions,
  type KnowledgeDistillationOptions,
  KnowledgeDistillationTrainer,
} from "./knowledge-distillation-trainer.ts";
import { type FeaturePair, featureOf, projectionsOf, requireLayer, requireLayered } from "./layer-pairs.ts";
import { type Part, requirePartLabels } from "./parts.ts";
import { mayKeepAnswers, teacherFeatures } from "./teacher.ts";

export interface FeatureDistillationOptions extends KnowledgeDistillationOptions {
  /** Must be a module here: its layers are asked by name. */
  readonly teacher: Module;
  /** β ≥ 0, the weight of the feature term. Default 0.3. */
  readonly beta?: number;
  /** Which layers are matched, by the names that `features` gives them. */
  readonly features: readonly FeaturePair[];
}

export interface FeatureDistillationLosses<T> extends DistillationLosses<T> {
  /** Σ MSE over the pairs, before β. */
  readonly feature: T;
}

/**
 * Teaches a student from labels, from a teacher's softened answers, and from what the teacher's layers compute.
 *
 *     L = α · hard + (1 − α) · soft + β · Σ MSE( r(student feature), teacher feature )
 *
 * r is the identity, or the pair's projection: a layer of its own, trained with the student by the same optimizer and
 * not part of the student afterwards. With β = 0 no feature is computed.
 *
 * @see Romero et al., FitNets (2015), arXiv 1412.6550, §2.2
 */
export class FeatureDistillationTrainer extends KnowledgeDistillationTrainer<
  FeatureDistillationLosses<number>
> {
  declare readonly teacher: Module;
  readonly beta: number;
  readonly #pairs: readonly FeaturePair[];

  constructor(options: FeatureDistillationOptions) {
    requireOptions("trainer", options, [...distillationOptions, "beta", "features"]);
    const { beta = 0.3, features, ...common } = options;
    super(common, projectionsOf("trainer", features));
    const { teacher, student } = common;
    requireLayered("trainer", "teacher", teacher);
    if (!(typeof beta === "number" && beta >= 0 && beta < Number.POSITIVE_INFINITY)) {
      throw new DistilgradError(
        "value",
        `trainer: beta must be a finite number of at least 0, got ${kindOf(beta)}`,
      );
    }
    for (const [studentLayer, teacherLayer, projection] of features as readonly FeaturePair[]) {
      requireLayer("trainer", "student", student, studentLayer);
      requireLayer("trainer", "teacher", teacher, teacherLayer);
      if (projection) this.requireOptimized(`projection of "${studentLayer}"`, projection);
    }
    this.beta = beta;
    this.#pairs = features;
  }

  /**
   * Σ MSE over the pairs, each student feature through its projection.
   *
   * @param studentFeatures one tensor a pair, in the order of the pairs
   * @param teacherFeatures one tensor a pair, in the order of the pairs
   */
  featureMatchingLoss(studentFeatures: readonly Tensor[], teacherFeatures: readonly Tensor[]): Tensor {
    const projected = studentFeatures.map((feature, i) => this.#pairs[i]?.[2]?.forward(feature) ?? feature);
    return featureMatchingLoss(projected, teacherFeatures, this.#pairs);
  }

  /**
   * `trainStep`, under a name that says what it does. `batch.teacherLogits` is read only when β = 0: else the teacher
   * runs for its features anyway.
   */
  trainStepWithFeatures(batch: Dataset): FeatureDistillationLosses<number> {
    return this.trainStep(batch);
  }

  override lossWeights(): FeatureDistillationLosses<number> {
    return { ...super.lossWeights(), feature: this.beta };
  }

  /** A teacher that may keep its answers is asked before the step. */
  protected override prepare(part: Part): void {
    if (this.beta === 0) super.prepare(part);
    else if (mayKeepAnswers(this.teacher)) this.#askTeacher(part);
  }

  #askTeacher(part: Part): Features {
    const { teacherLogits: logits, teacherFeatures: features } = part;
    if (logits !== undefined && features !== undefined) return { logits, features };
    const asked = teacherFeatures(this.teacher, part.x);
    part.teacherLogits = asked.logits;
    part.teacherFeatures = asked.features;
    return asked;
  }

  protected override losses(part: Part): FeatureDistillationLosses<Tensor> {
    const { x, labels, share } = part;
    if (this.beta === 0) return { ...super.losses(part), feature: zeros([], { kernels: x.kernels }) };
    const asked = this.#askTeacher(part);
    const answered = this.student.features(x);
    requirePartLabels(part, answered.logits);

    const { total, hard, soft } = this.distillationLoss(answered.logits, asked.logits, labels, share);
    const distance = this.featureMatchingLoss(
      this.#pairs.map(([layer]) => featureOf("student", answered.features, layer)),
      this.#pairs.map(([, layer]) => featureOf("teacher", asked.features, layer)),
    );
    const feature = scale(distance, share.rows);
    return { total: add(total, scale(feature, this.beta)), hard, soft, feature };
  }
}
