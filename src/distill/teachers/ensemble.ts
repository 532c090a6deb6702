import { kindOf, requireOptions } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { currentStep, storageOf } from "../../graph.ts";
import { argmaxRow } from "../../kernels/rows.ts";
import { exp, log } from "../../math.ts";
import { Module } from "../../nn/module.ts";
import type { Rows } from "../../ops/operands.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { Tensor } from "../../tensor.ts";
import {
  onlyTemperatureOf,
  requireAnswering,
  requireTemperatureOf,
  type Teacher,
  teacherLogits,
} from "../teacher.ts";
import { distributionOf } from "./distribution.ts";
import { requireSameAnswers } from "./same-answers.ts";

export interface EnsembleOptions {
  /**
   * w_k ≥ 0, one a member, divided by their sum; or `"confidence"`, which weighs anew in each row by how sure a member is
   * of its first choice: w_k = max softmax(v_k / T_k), divided by the sum over members. A member of weight 0 is not asked.
   * Default: equal.
   */
  readonly weights?: readonly number[] | "confidence";
  /** What the mean is taken of. Default `"probabilities"`. */
  readonly combine?: "probabilities" | "logits";
  /** T_k from 1e-8 to 1e8, one a member: its logits are v_k / T_k, so that members can be calibrated. Default 1 each. */
  readonly temperatures?: readonly number[];
  /** T at which the mean of probabilities is taken: the trainer's. Default 1, for evaluation. Not with logits. */
  readonly temperature?: number;
}

/** A member of weight above 0. */
interface Member {
  readonly index: number;
  readonly teacher: Teacher;
  /** T_k */
  readonly temperature: number;
  /** w_k, the same in each row; null where confidence decides. */
  readonly weight: number | null;
}

/**
 * Several teachers as one.
 *
 *     probabilities:  v̄ = T log Σ_k w_k softmax(v_k / (T_k T))        so softmax(v̄ / T) is their mean at T
 *     logits:         v̄ = Σ_k w_k v_k / T_k
 *
 * A mean of probabilities is possible where any member finds it possible; a mean of logits, whose softmax is a geometric
 * mean, only where none of them rules it out. The first is not known without T: softened by another temperature v̄ is no
 * mean of anything. So it has a `temperature`, a trainer refuses one that is not its own, and `at(4)` is the same
 * ensemble for a trainer with T = 4. Answers that are kept beside a dataset must be asked at the trainer's T as well.
 *
 * It is a module with its members inside: they are asked in evaluation mode and without a graph, are left as they are,
 * and may not share tensors with a student. Objects with a `forward` and functions are asked too. It does not learn.
 *
 *     const ensemble = new Ensemble([large, wide, (x) => remembered(x)], { weights: [2, 1, 1] });
 *     evaluate(ensemble, test);
 *     new KnowledgeDistillationTrainer({ teacher: ensemble.at(4), student, optimizer, temperature: 4 });
 *
 * @see Hinton, Vinyals & Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531, §1: both means; Guo
 *   et al., On Calibration of Modern Neural Networks (2017), arXiv 1706.04599, §4.2: T_k; Hendrycks & Gimpel, A Baseline
 *   for Detecting Misclassified and Out-of-Distribution Examples (2017), arXiv 1610.02136, §3: confidence
 */
export class Ensemble extends Module {
  readonly members: readonly Teacher[];
  /** They sum to 1. */
  readonly weights: readonly number[] | "confidence";
  readonly combine: "probabilities" | "logits";
  readonly temperatures: readonly number[];
  /** T at which its answers hold; null for a mean of logits, which holds at any. */
  readonly temperature: number | null;
  readonly #asked: readonly Member[];

  /** @param members at least one, each a teacher of its own */
  constructor(members: readonly Teacher[], options: EnsembleOptions = {}) {
    super();
    requireMembers(members);
    requireOptions("Ensemble", options, ["weights", "combine", "temperatures", "temperature"]);
    const { combine = "probabilities", weights, temperatures, temperature } = options;
    if (combine !== "probabilities" && combine !== "logits") {
      throw new DistilgradError(
        "value",
        `Ensemble: combine must be "probabilities" or "logits", got ${kindOf(combine)}`,
      );
    }
    if (combine === "logits" && temperature !== undefined) {
      throw new DistilgradError(
        "value",
        "Ensemble: a mean of logits holds at any temperature; leave temperature out, or combine probabilities",
      );
    }
    this.members = [...members];
    this.weights = requireWeights(weights ?? members.map(() => 1), members.length);
    this.combine = combine;
    this.temperatures = requireTemperatures(temperatures ?? members.map(() => 1), members.length);
    this.temperature = combine === "logits" ? null : requireTemperature("Ensemble", temperature ?? 1);
    for (const [i, member] of members.entries()) this.#requireSoftened(i, member);
    this.#asked = members
      .map((teacher, index) => ({
        index,
        teacher,
        temperature: this.temperatures[index],
        weight: this.weights === "confidence" ? null : this.weights[index],
      }))
      .filter(({ weight }) => weight !== 0);
  }

  /** Requires that a member which holds at one temperature only is softened by that one here. */
  #requireSoftened(i: number, member: Teacher): void {
    if (this.temperature !== null) {
      requireTemperatureOf("Ensemble", `member ${i}`, member, this.temperatures[i] * this.temperature);
      return;
    }
    const temperature = onlyTemperatureOf(member);
    if (temperature === null) return;
    throw new DistilgradError(
      "model",
      `Ensemble: member ${i}'s answers hold at temperature ${temperature} only, and a mean of logits at any; hand in its members instead`,
    );
  }

  /** As `temperature`: by this name a trainer asks any teacher. */
  get onlyTemperature(): number | null {
    return this.temperature;
  }

  /** The same members, for a trainer with this temperature. A mean of logits is the same for all. */
  at(temperature: number): Ensemble {
    requireTemperature("Ensemble.at", temperature);
    if (this.temperature === null) return this;
    const { members, weights, combine, temperatures } = this;
    return new Ensemble(members, { weights, combine, temperatures, temperature });
  }

  /**
   * v̄, in float64 and rounded once.
   *
   * @returns `[rows, classes]` without a graph
   * @throws where members do not answer for the same rows and classes
   */
  forward(x: Tensor): Tensor {
    const answers = this.#asked.map(({ teacher }) => teacherLogits(teacher, x));
    const shape = requireSameAnswers(
      "Ensemble",
      answers,
      this.#asked.map(({ index }) => `member ${index}`),
    );
    const weights = this.#weightsIn(answers, shape);
    const { temperature } = this;
    const values = answers.map((answer, k) => {
      const own = this.#asked[k].temperature;
      return temperature === null
        ? Float64Array.from(answer.data, (v) => v / own)
        : distributionOf(answer, shape, own * temperature).logarithms;
    });
    const { kernels } = answers[0];
    const mean = kernels.room(answers[0].size);
    for (let row = 0, i = 0; row < shape.rows; row++) {
      const own = weights.map((each) => each[row]);
      for (const end = i + shape.cols; i < end; i++) {
        mean[i] = temperature === null ? meanAt(i, values, own) : temperature * logMeanAt(i, values, own);
      }
    }
    return new Tensor(storageOf(mean, currentStep()), answers[0].shape, kernels);
  }

  /** w_k of each row. */
  #weightsIn(answers: readonly Tensor[], { rows, cols }: Rows): Float64Array[] {
    const weights = this.#asked.map(({ weight, temperature }, k) => {
      if (weight !== null) return new Float64Array(rows).fill(weight);
      const { probabilities } = distributionOf(answers[k], { rows, cols }, temperature);
      const largest = (_: unknown, row: number): number =>
        probabilities[argmaxRow(probabilities, row * cols, cols)];
      return Float64Array.from({ length: rows }, largest);
    });
    if (this.weights !== "confidence") return weights;
    for (let row = 0; row < rows; row++) {
      let total = 0;
      for (const each of weights) total += each[row];
      for (const each of weights) each[row] /= total;
    }
    return weights;
  }
}

/** Σ w_k a_k */
function meanAt(i: number, values: readonly Float64Array[], weights: readonly number[]): number {
  // From the first, not from 0: one member gets its −0 back.
  let sum = weights[0] * values[0][i];
  for (let k = 1; k < values.length; k++) sum += weights[k] * values[k][i];
  return sum;
}

/** log Σ w_k e^(a_k), relative to the largest, so that no probability is too small for a float. */
function logMeanAt(i: number, values: readonly Float64Array[], weights: readonly number[]): number {
  let top = values[0][i];
  for (const each of values) top = Math.max(top, each[i]);
  // What all of them rule out stays so: −∞ less −∞ has no value.
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += weights[k] * exp(values[k][i] - top);
  return top + log(sum);
}

function requireMembers(members: readonly Teacher[]): void {
  if (!Array.isArray(members) || members.length === 0) {
    const got = Array.isArray(members) ? "none" : kindOf(members);
    throw new DistilgradError("model", `Ensemble: expected a list of at least one teacher, got ${got}`);
  }
  for (const [i, member] of (members as readonly Teacher[]).entries()) {
    requireAnswering("Ensemble", `member ${i}`, member);
    const first = members.indexOf(member);
    if (first < i) {
      throw new DistilgradError(
        "model",
        `Ensemble: members ${first} and ${i} are the same teacher; give it more weight instead`,
      );
    }
  }
}

/** Weights that sum to 1. */
function requireWeights(weights: unknown, count: number): readonly number[] | "confidence" {
  if (weights === "confidence") return weights;
  if (!Array.isArray(weights)) {
    throw new DistilgradError(
      "value",
      `Ensemble: weights must be a list of numbers or "confidence", got ${kindOf(weights)}`,
    );
  }
  requireOneEach("weight", weights, count);
  for (const weight of weights) {
    if (!(typeof weight === "number" && weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new DistilgradError(
        "value",
        `Ensemble: a weight must be a finite number of at least 0, got ${kindOf(weight)}`,
      );
    }
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError("value", `Ensemble: the weights must have a finite sum above 0, got ${total}`);
  }
  return weights.map((weight) => weight / total);
}

function requireTemperatures(temperatures: unknown, count: number): readonly number[] {
  if (!Array.isArray(temperatures)) {
    throw new DistilgradError(
      "value",
      `Ensemble: temperatures must be a list of numbers, got ${kindOf(temperatures)}`,
    );
  }
  requireOneEach("temperature", temperatures, count);
  return temperatures.map((temperature) => requireTemperature("Ensemble", temperature));
}

function requireOneEach(what: string, given: readonly unknown[], count: number): void {
  if (given.length === count) return;
  throw new DistilgradError(
    "value",
    `Ensemble: expected one ${what} for each of ${count} members, got ${given.length}`,
  );
}
