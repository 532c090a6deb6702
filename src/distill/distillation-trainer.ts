import { kindOf, requireOptions } from "../arguments.ts";
import { unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import type { Module, NamedTensors } from "../nn/module.ts";
import { add } from "../ops/add.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { scale } from "../ops/scale.ts";
import type { Tensor } from "../tensor.ts";
import { compareLayers } from "./compare-layers.ts";
import { featureOf, requireLayer, requireLayered } from "./layer-pairs.ts";
import { type Part, requirePartLabels } from "./parts.ts";
import {
  mayKeepAnswers,
  requireSeparate,
  requireTemperatureOf,
  type Teacher,
  teacherFeatures,
  teacherLogits,
} from "./teacher.ts";
import { type FeatureTerm, type LogitTerm, optionsAt, type Term, weightAt } from "./terms.ts";
import { type TensorsOf, Trainer, type TrainerOptions, trainerOptions } from "./trainer.ts";

/** Terms by name. */
export type Terms = Readonly<Record<string, Term>>;

/** The value of each term by its name, before its weight, and the sum of all with their weights. */
export type TermLosses<T extends Terms> = { readonly total: number } & { readonly [Name in keyof T]: number };

export interface DistillationOptions<T extends Terms> extends TrainerOptions {
  /** Maps x to logits, and is left as it is. A Module where layers are asked by name. */
  readonly teacher: Teacher;
  /** The model that learns. */
  readonly student: Module;
  /** What it learns from. Names are the caller's; `total` is taken. */
  readonly terms: T;
}

/** What the models say of some rows; each is there if a term asks for it. */
interface Answers {
  readonly studentLogits: Tensor;
  readonly studentFeatures: NamedTensors;
  readonly teacherFeatures: NamedTensors;
}

/**
 * Teaches a student from any number of terms, each a loss with a weight and a name.
 *
 *     L = Σ_terms weight · loss
 *
 *     const trainer = new DistillationTrainer({
 *       student, teacher, optimizer,
 *       terms: {
 *         hard: labelTerm({ weight: 0.7 }),
 *         soft: logitTerm(softTargetLoss, { weight: 0.3, options: { temperature: 4 } }),
 *         maps: featureTerm(attentionTransferLoss, { weight: 100, layers: [["conv1", "conv2"]] }),
 *       },
 *     });
 *     const { total, hard, soft, maps } = trainer.trainStep(batch);
 *
 * Weights, and numbers among a loss's options, may be schedules over the trainer's steps. A term of weight 0 is not
 * computed and reported as 0; where none asks for the teacher, it is not asked. While some term has weight 0, parameters
 * that no other reaches stay as they are, so that one stage can train the lower layers and the next all of them.
 *
 * A batch's `teacherLogits` are taken for the teacher's; it is asked for its layers all the same. A teacher whose answers
 * hold at one temperature, such as an `Ensemble`, is refused by a term that does not have it in its options.
 *
 * With hard and soft alone this is `KnowledgeDistillationTrainer`, bit for bit.
 */
export class DistillationTrainer<T extends Terms = Terms> extends Trainer<TermLosses<T>> {
  readonly teacher: Teacher;
  readonly terms: T;
  readonly #terms: readonly (readonly [name: string, term: Term])[];

  constructor(options: DistillationOptions<T>) {
    requireOptions("trainer", options, ["teacher", "student", ...trainerOptions, "terms"]);
    const { teacher, student, terms, ...common } = options;
    const entries = requireTerms(terms);
    const pairs = entries.flatMap(([, term]) => (term.kind === "features" ? term.layers : []));
    const projections = new Set(pairs.flatMap(([, , projection]) => projection ?? []));
    super(student, common, [...projections]);
    requireSeparate("trainer", teacher, student, common.optimizer.parameters);
    for (const [name, term] of entries) {
      if (term.kind === "logits") requireSoftened("trainer", teacher, name, optionsAt(term, 0));
    }
    for (const [studentLayer, teacherLayer, projection] of pairs) {
      requireLayer("trainer", "student", student, studentLayer);
      requireLayer("trainer", "teacher", requireLayered("trainer", "teacher", teacher), teacherLayer);
      if (projection) this.requireOptimized(`projection of "${studentLayer}"`, projection);
    }
    const across = entries.find(([, term]) => term.kind !== "labels" && !term.rowwise);
    if (common.microBatchSize !== undefined && across) {
      throw new DistilgradError(
        "value",
        `trainer: microBatchSize takes a batch in parts, and "${across[0]}" is not known to be a mean over rows; set its rowwise: true if ${across[1].loss} is one, else leave microBatchSize out`,
      );
    }
    this.teacher = teacher;
    this.terms = terms;
    this.#terms = entries;
  }

  /** The model that learns. */
  get student(): Module {
    return this.model;
  }

  override lossWeights(): TermLosses<T> {
    const weights: Record<string, number> = { total: 1 };
    for (const [name, term] of this.#terms) weights[name] = weightAt(name, term, this.steps);
    return weights as TermLosses<T>;
  }

  /** The terms that are computed in the next step, each with its weight. */
  #active(): [name: string, term: Term, weight: number][] {
    const all = this.#terms.map(([name, term]): [string, Term, number] => [
      name,
      term,
      weightAt(name, term, this.steps),
    ]);
    const active = all.filter(([, , weight]) => weight > 0);
    if (active.length === 0) {
      throw new DistilgradError(
        "value",
        `trainStep: every term has weight 0 at step ${this.steps}: nothing to learn from`,
      );
    }
    return active;
  }

  protected override get stage(): string {
    return this.#active()
      .map(([name]) => name)
      .join(", ");
  }

  protected override get mayIdle(): boolean {
    return this.#active().length < this.#terms.length;
  }

  #reads(kind: Term["kind"]): boolean {
    return this.#active().some(([, term]) => term.kind === kind);
  }

  /** A teacher that may keep its answers is asked before the step. */
  protected override prepare(part: Part): void {
    if (mayKeepAnswers(this.teacher)) this.#askTeacher(part);
  }

  /** What the terms of this step read of the teacher, unless it is there. */
  #askTeacher(part: Part): void {
    if (this.#reads("features")) {
      if (part.teacherFeatures !== undefined) return;
      const asked = teacherFeatures(requireLayered("trainer", "teacher", this.teacher), part.x);
      part.teacherLogits ??= asked.logits;
      part.teacherFeatures = asked.features;
    } else if (this.#reads("logits")) part.teacherLogits ??= teacherLogits(this.teacher, part.x);
  }

  protected override losses(part: Part): TensorsOf<TermLosses<T>> {
    const answers = this.#ask(part);
    requirePartLabels(part, answers.studentLogits);
    const values: Record<string, Tensor> = {};
    for (const [name] of this.#terms) values[name] = zeros([], { kernels: part.x.kernels });
    let total: Tensor | null = null;
    for (const [name, term, weight] of this.#active()) {
      if (term.kind === "labels" && part.labels === undefined) continue;
      const value = this.#value(name, term, answers, part);
      values[name] = value;
      const weighted = weight === 1 ? value : scale(value, weight);
      total = total === null ? weighted : add(total, weighted);
    }
    if (total === null) {
      throw new DistilgradError(
        "labels",
        `trainStep: only labels teach at step ${this.steps}, and the batch has none: nothing to learn from`,
      );
    }
    return { total, ...values } as TensorsOf<TermLosses<T>>;
  }

  #ask(part: Part): Answers {
    this.#askTeacher(part);
    const { x, teacherFeatures = new Map<string, Tensor>() } = part;
    const { logits: studentLogits, features: studentFeatures } = this.#reads("features")
      ? this.student.features(x)
      : { logits: this.student.forward(x), features: new Map<string, Tensor>() };
    return { studentLogits, studentFeatures, teacherFeatures };
  }

  /** The loss of a term on some rows, times their share in the batch. */
  #value(name: string, term: Term, answers: Answers, { teacherLogits, labels, share }: Part): Tensor {
    if (term.kind === "labels") {
      const { labelSmoothing } = term;
      const hard = crossEntropy(answers.studentLogits, labels!, { labelSmoothing, ignoredLabel: unlabelled });
      return scale(hard, share.labelled);
    }
    const options = optionsAt(term, this.steps);
    if (term.kind === "logits") requireSoftened("trainStep", this.teacher, name, options);
    const loss =
      term.kind === "logits"
        ? term.compare(answers.studentLogits, teacherLogits!, options, labels)
        : this.#ofFeatures(name, term, answers, options);
    if (!(loss?.shape?.length === 0)) {
      throw new DistilgradError(
        "value",
        `trainStep: the loss of "${name}" must return a scalar tensor, got ${kindOf(loss)}`,
      );
    }
    return scale(loss, share.rows);
  }

  /** Σ over the pairs. */
  #ofFeatures(name: string, term: FeatureTerm, answers: Answers, options: object): Tensor {
    return term.layers
      .map((pair) => {
        const own = featureOf("student", answers.studentFeatures, pair[0]);
        const wanted = featureOf("teacher", answers.teacherFeatures, pair[1]);
        return compareLayers(`trainStep: "${name}"`, term, { pair, own, wanted }, options).loss;
      })
      .reduce((a, b) => add(a, b));
  }
}

/**
 * Requires that answers which hold at one temperature only are softened by that one. A default of the loss is not seen
 * from here: where there is no temperature among the options, answers must hold as they are, at 1.
 */
function requireSoftened(
  where: string,
  teacher: Teacher,
  name: string,
  options: { readonly temperature?: unknown },
): void {
  const { temperature } = options;
  if (temperature !== undefined && typeof temperature !== "number") return; // the loss refuses it
  const unsaid = temperature === undefined ? " without a temperature among its options" : "";
  requireTemperatureOf(`${where}: "${name}"${unsaid}`, "the teacher", teacher, temperature ?? 1);
}

/** The entries of the terms, once they are found to be some. */
function requireTerms(terms: Terms): (readonly [string, Term])[] {
  if (typeof terms !== "object" || terms === null) {
    throw new DistilgradError(
      "value",
      `trainer: expected terms { name: term, … } such as { hard: labelTerm() }, got ${kindOf(terms)}`,
    );
  }
  const entries = Object.entries(terms);
  if (entries.length === 0) throw new DistilgradError("value", "trainer: expected at least one term");
  for (const [name, term] of entries) {
    if (name === "total") {
      throw new DistilgradError(
        "value",
        'trainer: "total" is the sum of all terms; give the term another name',
      );
    }
    const isTerm =
      term?.kind === "labels" || typeof (term as LogitTerm | FeatureTerm)?.compare === "function";
    if (!isTerm) {
      throw new DistilgradError(
        "value",
        `trainer: the term "${name}" must be made by labelTerm, logitTerm or featureTerm, got ${kindOf(term)}`,
      );
    }
  }
  return entries;
}
