/** Floor 6: the settings that a sweep tries, as plain data, and what each makes of a recipe. Trains nothing. */
import type { Recipe } from "./recipe.ts";
import { type TermSettings, type TermTable, takesTemperature } from "./term-settings.ts";

/** What is tried: each list against each other. */
export interface Grid {
  /** Widths of the students' hidden layers. */
  readonly students: readonly (readonly number[])[];
  /** Names of soft losses, between answers. */
  readonly losses: readonly string[];
  /** Weights of a loss between the last hidden layers; 0: there is none. */
  readonly betas: readonly number[];
  /** Weights of the hard loss; the soft one has 1 − α. */
  readonly alphas: readonly number[];
  readonly temperatures: readonly number[];
}

/** One point of a grid. */
export interface Setting {
  readonly student: readonly number[];
  readonly loss: string;
  readonly beta: number;
  readonly alpha: number;
  /** Null for a loss that takes none. */
  readonly temperature: number | null;
}

/** The student that learns alone, with whom all settings of the same widths are compared. */
export interface Alone {
  readonly student: readonly number[];
  readonly loss: null;
}

export type Pupil = Setting | Alone;

/** One student of one seed. */
export interface SweepRun {
  readonly seed: number;
  readonly pupil: Pupil;
}

/** The product of the lists, the temperature running fastest. A loss that takes no temperature stands once for all of them. */
export function settingsOf({ students, losses, betas, alphas, temperatures }: Grid): Setting[] {
  return students.flatMap((student) =>
    losses.flatMap((loss) =>
      betas.flatMap((beta) =>
        alphas.flatMap((alpha) =>
          (takesTemperature(loss) ? temperatures : [null]).map((temperature) => ({
            student,
            loss,
            beta,
            alpha,
            temperature,
          })),
        ),
      ),
    ),
  );
}

/** Who is trained in every seed: the students that learn alone, then the settings in the order of the grid. */
export const pupilsOf = (grid: Grid): Pupil[] => [
  ...grid.students.map((student): Alone => ({ student, loss: null })),
  ...settingsOf(grid),
];

/** The recipe of one student, with what it learns from as terms. */
export function recipeFor(recipe: Recipe, pupil: Pupil): Recipe {
  const student = { ...recipe.student, hidden: pupil.student };
  return { ...recipe, student, terms: pupil.loss === null ? null : termsFor(pupil, recipe.teacher.hidden) };
}

/**
 * α · crossEntropy + (1 − α) · loss + β · mse of the last hidden layers, the student's projected to the teacher's width. A
 * term without weight is left out.
 */
export function termsFor(
  { student, loss, beta, alpha, temperature }: Setting,
  teacher: readonly number[],
): TermTable {
  const terms: Readonly<Record<string, TermSettings>> = {
    hard: { loss: "crossEntropy", weight: alpha },
    soft: { loss, weight: 1 - alpha, options: temperature === null ? {} : { temperature } },
    hidden: { loss: "mse", weight: beta, layers: [[`relu${student.length}`, `relu${teacher.length}`]] },
  };
  return Object.fromEntries(Object.entries(terms).filter(([, { weight }]) => weight !== 0));
}

/** Such as `student 64-32, softTargetLoss, beta 0.1, alpha 0.7, T 4`, or `student 64-32, alone`. */
export function pupilName(pupil: Pupil): string {
  const student = `student ${pupil.student.join("-")}`;
  if (pupil.loss === null) return `${student}, alone`;
  const { loss, beta, alpha, temperature } = pupil;
  const parts = [student, loss, ...(beta === 0 ? [] : [`beta ${beta}`]), `alpha ${alpha}`];
  return [...parts, ...(temperature === null ? [] : [`T ${temperature}`])].join(", ");
}
