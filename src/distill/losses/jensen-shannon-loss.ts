import { kindOf, requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { exp, expm1, log, log1p } from "../../math.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { record, type Tensor, wrt } from "../../tensor.ts";
import { addTargetGradient, distributionOf, divergenceFrom, divergenceLoss } from "./divergence.ts";
import { requireLogits } from "./operands.ts";

export interface JensenShannonOptions {
  /** β in [0, 1], the teacher's share of the mixture; 0 is KL(teacher ‖ student), 1 the reverse. Default ½. */
  readonly beta?: number;
  /** T from 1e-8 to 1e8: how far both distributions are softened. Default 1, which leaves them as they are. */
  readonly temperature?: number;
}

/**
 * How far student and teacher are from a mixture of the two: the generalised Jensen–Shannon divergence.
 *
 *     p = softmax(z / T)    q = softmax(v / T)    m = β q + (1 − β) p
 *     L  = (1/rows) Σ ( β q log(q/m) + (1 − β) p log(p/m) )
 *     dz = (1 − β) p (log(p/m) − KL(p ‖ m)) / (T rows) · dL        0 where p is 0
 *     dv = β q (log(q/m) − KL(q ‖ m)) / (T rows) · dL              0 where q is 0
 *
 * At most log 2; for β = ½ symmetric to the last bit. There is no factor T². It is the probabilities that are mixed, not
 * their logarithms: with δ = log q − log p the ratios are m/q = β + (1 − β) e^−δ and m/p = 1 − β + β e^δ, whose
 * logarithms are taken without overflow and without cancellation. Every term is of the form q ψ(log(q/m)) ≥ 0 with
 * ψ(x) = e^−x − 1 + x, so L is never negative, and exactly 0 for equal logits. Its gradients are finite for all finite
 * logits.
 *
 * For β = 0 and β = 1 the formula is 0 whatever the logits are. What stands there instead is what L/β and L/(1 − β) tend
 * to: KL(q ‖ p) and KL(p ‖ q), without T².
 *
 * @param studentLogits `[rows, classes]` z
 * @param teacherLogits `[rows, classes]` v
 * @returns a scalar, in nats
 * @see Agarwal et al., On-Policy Distillation of Language Models (2024), arXiv 2306.13649, §2
 */
export function jensenShannonLoss(
  studentLogits: Tensor,
  teacherLogits: Tensor,
  options: JensenShannonOptions = {},
): Tensor {
  const op = "jensenShannonLoss";
  const shape = requireLogits(op, studentLogits, teacherLogits);
  requireOptions(op, options, ["beta", "temperature"]);
  const { beta = 0.5, temperature = 1 } = options;
  requireTemperature(op, temperature);
  if (!(typeof beta === "number" && beta >= 0 && beta <= 1)) {
    throw new DistilgradError(
      "value",
      `${op}: beta must be in [0, 1], got ${kindOf(beta)}; it is the teacher's share of the mixture`,
    );
  }
  if (beta === 0) return divergenceLoss(op, teacherLogits, studentLogits, shape, temperature, 1);
  if (beta === 1) return divergenceLoss(op, studentLogits, teacherLogits, shape, temperature, 1);

  const k = studentLogits.kernels;
  const { probs: p, logProbs: logP } = distributionOf(k, studentLogits.data, shape, temperature);
  const { probs: q, logProbs: logQ } = distributionOf(k, teacherLogits.data, shape, temperature);
  const [mixture, ratioP, ratioQ] = [0, 0, 0].map(() => k.wideRoom(p.length)); // m, log(p/m), log(q/m)
  for (let i = 0; i < mixture.length; i++) {
    const delta = logQ[i] - logP[i];
    mixture[i] = beta * q[i] + (1 - beta) * p[i];
    ratioP[i] = -logMixture(1 - beta, beta, delta);
    ratioQ[i] = -logMixture(beta, 1 - beta, -delta);
  }
  const student = divergenceFrom(k, p, mixture, ratioP, shape);
  const teacher = divergenceFrom(k, q, mixture, ratioQ, shape);
  const loss = k.alloc(1);
  loss[0] = beta * teacher.mean + (1 - beta) * student.mean;
  const share = 1 / temperature / shape.rows;
  return record(
    op,
    loss,
    [],
    [
      wrt(studentLogits, (dz, dLoss) => addTargetGradient(dz, student, (1 - beta) * share * dLoss[0])),
      wrt(teacherLogits, (dv, dLoss) => addTargetGradient(dv, teacher, beta * share * dLoss[0])),
    ],
  );
}

/** log(stay + move · eᵈ), where stay and move are above 0 and add up to 1. */
function logMixture(stay: number, move: number, d: number): number {
  if (d > 0) return d + logMixture(move, stay, -d);
  const change = move * expm1(d);
  return change > -0.5 ? log1p(change) : log(stay + move * exp(d));
}
