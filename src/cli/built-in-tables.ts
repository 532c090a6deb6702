/** Floor 6: tables that need no file: the digits, and two generated sets. */
import type { Dataset } from "../data/dataset.ts";
import { digits, digitsAttribution } from "../data/digits.ts";
import { moons } from "../data/moons.ts";
import { spirals } from "../data/spirals.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import { RandomStream } from "../random.ts";

/** A table, and what a job must know of it besides. */
export interface NamedTable {
  /** What reports call it. */
  readonly name: string;
  readonly table: LabelledTable;
  /** Whether its features are to be brought to one scale. */
  readonly standardize: boolean;
  /** What its licence asks to be said. */
  readonly attribution?: string;
}

const ROWS = 1000;

const tables: Readonly<Record<string, () => NamedTable>> = {
  // Pixels have one scale already.
  digits: () => ({
    ...named("digits", digits(), "pixel"),
    standardize: false,
    attribution: `Digits: ${digitsAttribution}`,
  }),
  moons: () =>
    named("moons", moons({ rows: ROWS, noise: 0.2, random: new RandomStream(0, "moons") }), "coordinate"),
  spirals: () =>
    named(
      "spirals",
      spirals({ rows: ROWS, classes: 3, noise: 0.05, random: new RandomStream(0, "spirals") }),
      "coordinate",
    ),
};

/** Which names stand for them where a file is expected. */
export const builtInNames = Object.keys(tables);

/** The table of this name, or null: then it is a file's. */
export const builtInTable = (name: string): NamedTable | null =>
  Object.hasOwn(tables, name) ? tables[name]() : null;

function named(name: string, { x, labels }: Dataset, feature: string): NamedTable {
  const [rows, features] = x.shape;
  const classes = new Set(labels).size;
  return {
    name,
    standardize: true,
    table: {
      values: Float32Array.from(x.data),
      rows,
      features,
      featureNames: Array.from({ length: features }, (_, i) => `${feature} ${i}`),
      labels: labels!,
      classNames: Array.from({ length: classes }, (_, label) => String(label)),
    },
  };
}
