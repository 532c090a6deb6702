/** Floor 6: what the models of a job are called, and how many labels each has seen. */
import { unlabelled } from "../data/dataset.ts";
import { type Job, type ModelId, type StudentPlan, studentPlans } from "./recipe.ts";
import { testRowCount } from "./row-split.ts";

export interface NamedModel {
  readonly id: ModelId;
  readonly name: string;
  /** How many labels it learns from; 0 for stored answers. */
  readonly labels: number;
  /** Null for the teacher. */
  readonly plan: StudentPlan | null;
}

/** How many rows have a label, to train on and to test on. */
export function labelledRows({ table, recipe }: Job): { readonly training: number; readonly test: number } {
  const labelled = table.labels.filter((label) => label !== unlabelled).length;
  const test = testRowCount(labelled, recipe.test);
  return { training: labelled - test, test };
}

/** The teacher, then the students in the order in which they are trained. */
export function namedModels(job: Job): readonly NamedModel[] {
  const { training } = labelledRows(job);
  const students = studentPlans(job.recipe).map((plan): NamedModel => {
    if (plan.learnsFrom === "teacher") return { id: plan.id, name: "no labels, taught", labels: 0, plan };
    const labels = plan.rows === "few" ? (job.recipe.labels ?? 0) : training;
    const how = plan.learnsFrom === "both" ? "taught" : "alone";
    return { id: plan.id, name: `${counted(labels, "label")}, ${how}`, labels, plan };
  });
  return [{ id: "teacher", name: "teacher", labels: job.answers ? 0 : training, plan: null }, ...students];
}

/** Such as `1 feature` and `1,797 features`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** A whole number with a comma between thousands. */
export function grouped(count: number): string {
  let text = String(count);
  let groups = "";
  for (; text.length > 3; text = text.slice(0, -3)) groups = `,${text.slice(-3)}${groups}`;
  return text + groups;
}
