import { requireOptions } from "../arguments.ts";
import { unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { crossEntropy, requireSmoothing } from "../ops/cross-entropy.ts";
import { scale } from "../ops/scale.ts";
import type { Tensor } from "../tensor.ts";
import { type Part, requirePartLabels } from "./parts.ts";
import { Trainer, type TrainerOptions, trainerOptions } from "./trainer.ts";

export interface SupervisedTrainerOptions extends TrainerOptions {
  /** The model that learns. */
  readonly model: Module;
  /** See `crossEntropy`. Default 0. Smoothed labels make a poor teacher: they wipe out what it knows beside the label. */
  readonly labelSmoothing?: number;
}

/**
 * Learns from labels alone: how a teacher is made, and the twin that every student is compared with.
 *
 *     L = crossEntropy(model(x), labels)
 */
export class SupervisedTrainer extends Trainer<{ readonly total: number }> {
  readonly #labelSmoothing: number;

  constructor(options: SupervisedTrainerOptions) {
    requireOptions("SupervisedTrainer", options, ["model", ...trainerOptions, "labelSmoothing"]);
    const { model, labelSmoothing = 0, ...common } = options;
    super(model, common);
    requireSmoothing("SupervisedTrainer", labelSmoothing);
    this.#labelSmoothing = labelSmoothing;
  }

  protected override losses(part: Part): { readonly total: Tensor } {
    const { x, labels, share } = part;
    if (labels === undefined) {
      throw new DistilgradError(
        "labels",
        "trainStep: this trainer learns from labels, and the batch has none",
      );
    }
    const logits = this.model.forward(x);
    requirePartLabels(part, logits);
    const loss = crossEntropy(logits, labels, {
      labelSmoothing: this.#labelSmoothing,
      ignoredLabel: unlabelled,
    });
    return { total: scale(loss, share.labelled) };
  }
}
