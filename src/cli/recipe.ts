/** Floor 6: what is trained, as plain data that crosses to other processes. Knows settings; trains nothing. */
import type { LabelledTable } from "../io/labelled-table.ts";
import type { TermTable } from "./term-settings.ts";

/** All settings of a comparison between students with and without a teacher. */
export interface Recipe {
  readonly teacher: {
    /** How many networks it is, each with a start and an order of its own: their mean teaches. */
    readonly count: number;
    /** Widths of the hidden layers. */
    readonly hidden: readonly number[];
    /** How likely a hidden value is dropped in training, in [0, 1). */
    readonly dropout: number;
    readonly epochs: number;
    /** Adam's; a cosine takes it to 0. */
    readonly learningRate: number;
  };
  readonly student: {
    readonly hidden: readonly number[];
    readonly learningRate: number;
    /** Steps of the students that see all training rows. */
    readonly steps: number;
    /** Steps of the students that see only some labels. */
    readonly fewSteps: number;
  };
  /** Rows in a batch; where there are fewer rows, a batch is all of them. */
  readonly batch: number;
  /** The share of labelled rows that is kept for testing, in (0, 1). */
  readonly test: number;
  /** How many labelled rows the students with few labels see; null: there are none of these. */
  readonly labels: number | null;
  /** T, of both teacher and student. */
  readonly temperature: number;
  /** α, the weight of the HARD loss; the soft loss has 1 − α. */
  readonly alpha: number;
  /** What taught students learn from; null: from temperature and α. */
  readonly terms: TermTable | null;
  /** Whether features are brought to mean 0 and deviation 1, as measured on the training rows. */
  readonly standardize: boolean;
}

/** A recipe and the data it is for: everything that results depend on, but the seed. */
export interface Job {
  /** What reports call the data. */
  readonly name: string;
  readonly table: LabelledTable;
  readonly recipe: Recipe;
  /** What takes the place of a teacher that is trained. Left out: one is. */
  readonly answers?: StoredAnswers;
  /** Where trained models are saved. Left out: nowhere. */
  readonly save?: SaveTo;
}

/** A teacher's answers where the teacher is not. */
export interface StoredAnswers {
  /** The file that they, or the teacher, are from. */
  readonly source: string;
  /** Whose they are, as the one who stored them says. */
  readonly teacher: string;
  /** `[rows, classes]`, to every row of the table. */
  readonly logits: Float32Array;
}

/** A folder for the models of a run, and what tells the run from others. */
export interface SaveTo {
  readonly folder: string;
  /** Hashes of recipe and table. */
  readonly recipe: string;
  readonly table: string;
}

export type StudentId = "fewAlone" | "fewTaught" | "allAlone" | "allTaught" | "unlabelled";

export type ModelId = "teacher" | StudentId;

/** One student: what it learns from, and whom it is compared with. */
export interface StudentPlan {
  readonly id: StudentId;
  /** The labelled rows it sees, `few` or all of training; `everything`: also those that have no label. */
  readonly rows: "few" | "labelled" | "everything";
  /** `labels`: alone. `both`: α · hard + (1 − α) · soft. `teacher`: the soft loss only, without any label. */
  readonly learnsFrom: "labels" | "both" | "teacher";
  readonly steps: number;
  /** The student of the same initialisation, order and steps that learns alone; null for that one itself. */
  readonly twin: StudentId | null;
}

/** The students of a recipe, in the order in which they are trained and shown. */
export function studentPlans({ labels, student: { steps, fewSteps } }: Recipe): readonly StudentPlan[] {
  const allAlone: StudentPlan = { id: "allAlone", rows: "labelled", learnsFrom: "labels", steps, twin: null };
  const unlabelled: StudentPlan = {
    id: "unlabelled",
    rows: "everything",
    learnsFrom: "teacher",
    steps,
    twin: "allAlone",
  };
  if (labels === null) {
    const allTaught: StudentPlan = {
      id: "allTaught",
      rows: "labelled",
      learnsFrom: "both",
      steps,
      twin: "allAlone",
    };
    return [allAlone, allTaught, unlabelled];
  }
  return [
    { id: "fewAlone", rows: "few", learnsFrom: "labels", steps: fewSteps, twin: null },
    { id: "fewTaught", rows: "few", learnsFrom: "both", steps: fewSteps, twin: "fewAlone" },
    unlabelled,
    allAlone,
  ];
}

/** The widths of all layers: features, hidden ones, classes. */
export function layerWidths(table: LabelledTable, hidden: readonly number[]): number[] {
  return [table.features, ...hidden, table.classNames.length];
}

/** Weights and biases of fully connected layers of these widths. */
export function parameterCount(layers: readonly number[]): number {
  let count = 0;
  for (let i = 1; i < layers.length; i++) count += (layers[i - 1] + 1) * layers[i];
  return count;
}
