import { kindOf, requireOptions } from "../arguments.ts";
import { unlabelled } from "../data/dataset.ts";
import { DistilgradError } from "../errors.ts";
import { zeros } from "../factories.ts";
import type { Module, NamedTensors } from "../nn/module.ts";
import { add } from "../ops/add.ts";
import { crossEntropy } from "../ops/cross-entropy.ts";
import { scale } from "../ops/scale.ts";
import type { Tensor } from "../tensor.ts";
import { onSameSides } from "./feature-matching-loss.ts";
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
import { type FeatureTerm, optionsAt, type Term, weightAt } from "./terms.ts";
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
    for (const [studentLayer, teacherLayer, projection] of pairs) {
      requireLayer("trainer", "student", student, studentLayer);
      requireLayer("trainer", "teacher", requireLayered(teacher), teacherLayer);
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
    if (this.#reads("logits") && mayKeepAnswers(this.teacher)) {
      part.teacherLogits ??= teacherLogits(this.teacher, part.x);
    }
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
    const none = new Map<string, Tensor>();
    const features = this.#reads("features");
    if (features) {
      const asked = teacherFeatures(requireLayered(this.teacher), part.x);
      part.teacherLogits = asked.logits;
      const answered = this.student.features(part.x);
      return {
        studentLogits: answered.logits,
        studentFeatures: answered.features,
        teacherFeatures: asked.features,
      };
    }
    if (this.#reads("logits")) part.teacherLogits ??= teacherLogits(this.teacher, part.x);
    return { studentLogits: this.student.forward(part.x), studentFeatures: none, teacherFeatures: none };
  }

  /** The loss of a term on some rows, times their share in the batch. */
  #value(name: string, term: Term, answers: Answers, { teacherLogits, labels, share }: Part): Tensor {
    if (term.kind === "labels") {
      const { labelSmoothing } = term;
      const hard = crossEntropy(answers.studentLogits, labels!, { labelSmoothing, ignoredLabel: unlabelled });
      return scale(hard, share.labelled);
    }
    const options: { readonly temperature?: unknown } = optionsAt(term, this.steps);
    if (term.kind === "logits" && typeof options.temperature === "number") {
      requireTemperatureOf("trainStep", "the teacher", this.teacher, options.temperature);
    }
    const loss =
      term.kind === "logits"
        ? term.compare(answers.studentLogits, teacherLogits!, options, labels)
        : this.#ofFeatures(term, answers, options);
    if (!(loss?.shape?.length === 0)) {
      throw new DistilgradError(
        "value",
        `trainStep: the loss of "${name}" must return a scalar tensor, got ${kindOf(loss)}`,
      );
    }
    return scale(loss, share.rows);
  }

  /** Σ over the pairs, each student feature through its projection. */
  #ofFeatures(term: FeatureTerm, answers: Answers, options: object): Tensor {
    return term.layers
      .map(([studentLayer, teacherLayer, projection]) => {
        const own = featureOf("student", answers.studentFeatures, studentLayer);
        const wanted = featureOf("teacher", answers.teacherFeatures, teacherLayer);
        return term.compare(...onSameSides(projection?.forward(own) ?? own, wanted), options);
      })
      .reduce((a, b) => add(a, b));
  }
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
    if (!["labels", "logits", "features"].includes(term?.kind)) {
      throw new DistilgradError(
        "value",
        `trainer: the term "${name}" must be made by labelTerm, logitTerm or featureTerm, got ${kindOf(term)}`,
      );
    }
  }
  return entries;
}
