/** The losses between a student and a teacher, each in a file of its own. */

export { attentionTransferLoss } from "./attention-transfer-loss.ts";
export { cosineLoss } from "./cosine-loss.ts";
export {
  type DecoupledDistillationOptions,
  decoupledDistillationLoss,
} from "./decoupled-distillation-loss.ts";
export { hintLoss } from "./hint-loss.ts";
export { type JensenShannonOptions, jensenShannonLoss } from "./jensen-shannon-loss.ts";
export { logitMatchingLoss } from "./logit-matching-loss.ts";
export { neuronSelectivityTransferLoss } from "./neuron-selectivity-transfer-loss.ts";
export { type PearsonCorrelationOptions, pearsonCorrelationLoss } from "./pearson-correlation-loss.ts";
export { probabilisticKnowledgeTransferLoss } from "./probabilistic-knowledge-transfer-loss.ts";
export { relationalAngleLoss } from "./relational-angle-loss.ts";
export { relationalDistanceLoss } from "./relational-distance-loss.ts";
export { type ReverseKlOptions, reverseKlLoss } from "./reverse-kl-loss.ts";
export { similarityPreservingLoss } from "./similarity-preserving-loss.ts";
export { type SoftCrossEntropyOptions, softCrossEntropyLoss } from "./soft-cross-entropy-loss.ts";
export { type StandardizedLogitsOptions, standardizedLogitsLoss } from "./standardized-logits-loss.ts";
