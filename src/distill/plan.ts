/** Floor 4: what a trainer of terms is about to do, before it does it. */
import { requireInstance } from "../arguments.ts";
import { noGrad } from "../graph.ts";
import { blankInput } from "../nn/blank-input.ts";
import { countParameters } from "../nn/module.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { compareLayers } from "./compare-layers.ts";
import { DistillationTrainer } from "./distillation-trainer.ts";
import { type AskedPair, askedPairs } from "./layer-pairs.ts";
import { teacherLogits } from "./teacher.ts";
import { type FeatureTerm, optionsAt, type Term, weightAt } from "./terms.ts";

/** Two layers that are compared. */
export interface PlannedPair {
  readonly studentLayer: string;
  readonly studentShape: Shape;
  readonly teacherLayer: string;
  readonly teacherShape: Shape;
  /** The class of the projection, and how many numbers it learns; null where there is none. */
  readonly projection: { readonly type: string; readonly parameters: number } | null;
  /** What the loss is given of the student and of the teacher. */
  readonly compared: readonly [student: Shape, teacher: Shape];
}

export interface PlannedTerm {
  readonly name: string;
  /** The name of its loss. */
  readonly loss: string;
  /** At the next step. */
  readonly weight: number;
  /** Whether the weight follows a schedule. */
  readonly scheduled: boolean;
  /** Of its loss, at the next step. */
  readonly options: object;
  readonly pairs: readonly PlannedPair[];
}

export interface DistillationPlan {
  readonly terms: readonly PlannedTerm[];
  /** All of it as text for people. */
  toString(): string;
}

/**
 * What a trainer is about to do: its terms with their weights, and for each pair of layers the shapes, the projection and
 * what is compared. The models run in evaluation mode and without a graph. Every loss is tried, also one of weight 0 as
 * yet; one between answers on the student's own, with label 0, as a teacher may know none to such an input.
 *
 *     console.log(`${planOf(trainer, [1, 64])}`)
 *
 * @param input a shape with the batch in front, such as `[1, 64]`, or a tensor
 * @throws what a step would throw about layers, their shapes and the options of losses
 */
export function planOf(trainer: DistillationTrainer, input: Shape | Tensor): DistillationPlan {
  requireInstance("planOf", "a DistillationTrainer", trainer, DistillationTrainer);
  const { student, teacher, steps } = trainer;
  const terms = Object.entries<Term>(trainer.terms).map(([name, term]): PlannedTerm => {
    const { loss, kind } = term;
    const scheduled = typeof term.weight === "function";
    const common = { name, loss, weight: weightAt(name, term, steps), scheduled };
    if (kind === "labels") return { ...common, options: { labelSmoothing: term.labelSmoothing }, pairs: [] };
    const options = optionsAt(term, steps);
    if (kind === "logits") {
      const own = teacherLogits(student, blankInput("planOf", student, input));
      noGrad(() => term.compare(own, own, options, new Int32Array(own.shape[0])));
      return { ...common, options, pairs: [] };
    }
    const asked = askedPairs("planOf", student, teacher, term.layers, input);
    return { ...common, options, pairs: asked.map((pair) => planned(name, pair, term, options)) };
  });
  return { terms, toString: () => terms.map(lines).join("\n") };
}

function planned(name: string, asked: AskedPair, term: FeatureTerm, options: object): PlannedPair {
  const { pair, own, wanted } = asked;
  const [studentLayer, teacherLayer, projection] = pair;
  const compare = () => noGrad(() => compareLayers(`planOf: "${name}"`, term, asked, options));
  const { compared } = projection ? projection.inEvalMode(compare) : compare();
  return {
    studentLayer,
    studentShape: own.shape,
    teacherLayer,
    teacherShape: wanted.shape,
    projection: projection
      ? { type: projection.constructor.name, parameters: countParameters(projection) }
      : null,
    compared,
  };
}

function lines({ name, loss, weight, scheduled, options, pairs }: PlannedTerm): string {
  const settings = Object.entries(options)
    .filter(([option, value]) => !(option === "labelSmoothing" && value === 0))
    .map(([option, value]) => `, ${option} ${value}`);
  const first = `${name}: ${weight} × ${loss}${settings.join("")}${scheduled ? " (scheduled)" : ""}`;
  return [first, ...pairs.map((pair) => `  ${pairLine(pair)}`)].join("\n");
}

function pairLine(pair: PlannedPair): string {
  const { studentLayer, studentShape, teacherLayer, teacherShape, projection, compared } = pair;
  const through = projection ? ` through ${projection.type} (${projection.parameters} parameters)` : "";
  const [own, wanted] = compared.map(formatShape);
  return `student ${studentLayer} ${formatShape(studentShape)}${through} against teacher ${teacherLayer} ${formatShape(teacherShape)}: compares ${own === wanted ? own : `${own} with ${wanted}`}`;
}
