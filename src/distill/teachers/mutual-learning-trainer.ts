import { kindOf, requireOptions } from "../../arguments.ts";
import { unlabelled } from "../../data/dataset.ts";
import { DistilgradError } from "../../errors.ts";
import { zeros } from "../../factories.ts";
import { Module } from "../../nn/module.ts";
import { add } from "../../ops/add.ts";
import { crossEntropy } from "../../ops/cross-entropy.ts";
import { scale } from "../../ops/scale.ts";
import { requireTemperature, softTargetLoss } from "../../ops/soft-target-loss.ts";
import type { Tensor } from "../../tensor.ts";
import { type Part, requirePartLabels } from "../parts.ts";
import { sharedBetween } from "../teacher.ts";
import { type TensorsOf, Trainer, type TrainerOptions, trainerOptions } from "../trainer.ts";
import { Ensemble } from "./ensemble.ts";
import { requireSameAnswers } from "./same-answers.ts";

export interface MutualLearningOptions extends TrainerOptions {
  /** The models that learn from labels and from one another, at least two; their architectures may differ. */
  readonly peers: readonly Module[];
  /** T from 1e-8 to 1e8, of both sides of the mutual term, which has the factor T². Default 1, as in the paper. */
  readonly temperature?: number;
}

/**
 * The losses of each peer by its index, such as `losses.hard0` or ``losses[`mutual${i}`]``.
 *
 *     total0 = hard0 + mutual0        total = Σ_i total_i
 */
export type MutualLearningLosses = { readonly total: number } & {
  readonly [loss: `${"total" | "hard" | "mutual"}${number}`]: number;
};

/**
 * Teaches several models at once, each from labels and from what the others answer.
 *
 *     L_i = crossEntropy(z_i, labels) + (1/(K − 1)) Σ_{j ≠ i} T² · KL( softmax(z_j / T) ‖ softmax(z_i / T) )
 *
 * What the others answer is taken as it is: no gradient of L_i reaches a peer but i, so that what is descended is no
 * gradient of the total, and `gradcheckTrainer` disagrees. All peers answer a batch, in training mode, before any of them
 * is moved; the paper moves one after the other. Rows without a label count in the mutual term only. A step that is
 * refused moves none of them.
 *
 * One optimizer has the parameters of all peers. A rule moves each by its own gradient and its own memory, so that this is
 * as if each peer had an optimizer of its own; groups of parameters give a peer other settings.
 *
 *     const optimizer = new Adam(parametersOf({ small, large }));
 *     const trainer = new MutualLearningTrainer({ peers: [small, large], optimizer });
 *     for (const { losses } of fit(trainer, batches, { epochs: 20 })) console.log(losses.hard0, losses.mutual0);
 *     evaluate(small, test);
 *     evaluate(trainer.model, test); // the mean of all
 *
 * With `maxGradNorm` the gradient of all peers together is shortened.
 *
 * @see Zhang et al., Deep Mutual Learning (2018), arXiv 1706.00384, §2
 */
export class MutualLearningTrainer extends Trainer<MutualLearningLosses> {
  readonly peers: readonly Module[];
  readonly temperature: number;

  constructor(options: MutualLearningOptions) {
    requireOptions("trainer", options, ["peers", ...trainerOptions, "temperature"]);
    const { peers, temperature = 1, ...common } = options;
    requirePeers(peers);
    super(new Ensemble(peers), common);
    this.peers = [...peers];
    this.temperature = requireTemperature("trainer", temperature);
  }

  override lossWeights(): MutualLearningLosses {
    const weights: Record<string, number> = { total: 1 };
    for (const i of this.peers.keys()) for (const name of namesOf(i)) weights[name] = 1;
    return weights as MutualLearningLosses;
  }

  protected override losses(part: Part): TensorsOf<MutualLearningLosses> {
    const { x, labels, share } = part;
    const logits = this.peers.map((peer) => peer.forward(x));
    requireSameAnswers(
      "trainStep",
      logits,
      this.peers.map((_, i) => `peer ${i}`),
    );
    requirePartLabels(part, logits[0]);
    const answers = logits.map((own) => own.detach());
    const losses: Record<string, Tensor> = {};
    const totals = logits.map((own, i) => {
      const hard =
        labels === undefined
          ? zeros([], { kernels: x.kernels })
          : scale(crossEntropy(own, labels, { ignoredLabel: unlabelled }), share.labelled);
      const mutual = scale(
        this.#divergence(
          own,
          answers.filter((_, j) => j !== i),
        ),
        share.rows,
      );
      const total = add(hard, mutual);
      for (const [k, name] of namesOf(i).entries()) losses[name] = [total, hard, mutual][k];
      return total;
    });
    return { total: sumOf(totals), ...losses } as TensorsOf<MutualLearningLosses>;
  }

  /** The mean over the others. Of their distributions it cannot be taken: KL is not linear in them. */
  #divergence(logits: Tensor, others: readonly Tensor[]): Tensor {
    const { temperature } = this;
    const each = others.map((answer) => softTargetLoss(logits, answer, { temperature }));
    return scale(sumOf(each), 1 / others.length);
  }
}

const namesOf = (i: number) => [`total${i}`, `hard${i}`, `mutual${i}`] as const;

const sumOf = (losses: readonly Tensor[]): Tensor => losses.reduce((a, b) => add(a, b));

function requirePeers(peers: readonly Module[]): void {
  if (!Array.isArray(peers) || peers.length < 2) {
    const got = Array.isArray(peers) ? peers.length : kindOf(peers);
    throw new DistilgradError("model", `trainer: expected a list of at least two peers, got ${got}`);
  }
  for (const [i, peer] of (peers as readonly unknown[]).entries()) {
    if (peer instanceof Module) continue;
    throw new DistilgradError(
      "model",
      `trainer: peer ${i} must be a Module that learns, got ${kindOf(peer)}`,
    );
  }
  for (const [i, peer] of peers.entries()) {
    for (const [j, earlier] of peers.slice(0, i).entries()) {
      const shared = sharedBetween(earlier.stateTensors(), peer.stateTensors());
      if (shared === undefined) continue;
      throw new DistilgradError(
        "model",
        `trainer: peer ${i}'s "${shared[1]}" is peer ${j}'s "${shared[0]}"; peers must not share tensors`,
      );
    }
  }
}
