/** Floor 6: what saved networks are worth on a table, as plain data: the document that `evaluate --json` prints. */
import { rowsBetween, unlabelled } from "../data/dataset.ts";
import { predictLabels, predictLogits } from "../distill/evaluate.ts";
import { type Assessment, assess } from "../distill/report/assess.ts";
import type { Teacher } from "../distill/teacher.ts";
import type { LabelledTable } from "../io/labelled-table.ts";
import { summary } from "../nn/summary.ts";
import type { NamedTable } from "./built-in-tables.ts";
import { type GainOnRows, gainOnRows, gainOnRowsSentence } from "./gain-on-rows.ts";
import { inOrderOf, inputsOf, labelsOf } from "./match-table.ts";
import { grouped } from "./model-names.ts";
import type { SavedNetwork } from "./network-file.ts";
import { predictionMicroseconds } from "./prediction-time.ts";
import { splitRows } from "./row-split.ts";
import { tableHash } from "./run-hashes.ts";
import { UsageError } from "./usage-error.ts";

const parts = ["model", "teacher", "twin"] as const;

export type Part = (typeof parts)[number];

export interface EvaluatedModel {
  readonly part: Part;
  readonly file: string;
  readonly name: string;
  readonly seed: number;
  readonly layers: readonly number[];
  readonly parameters: number;
  /** Of the parameters as float32. */
  readonly bytes: number;
  /** For one row. */
  readonly multiplyAdds: number;
  /** Beside the teacher, unless it is the teacher; null for a teacher on rows without labels. */
  readonly assessment: Assessment | null;
}

export interface Evaluation {
  readonly data: {
    readonly name: string;
    readonly rows: number;
    readonly labelledRows: number;
    /** Whether these are only the rows that no model of the run saw. */
    readonly testRows: boolean;
  };
  /** In the order of the model's logits. */
  readonly classes: readonly string[];
  /** The one that is asked for first, then its teacher and its twin, where they are given. */
  readonly models: readonly EvaluatedModel[];
  /** The model against its twin; null without one. */
  readonly comparison: (GainOnRows & { readonly sentence: string }) | null;
  readonly notes: readonly string[];
  /** The only part that differs from run to run: for a prediction of one row. */
  readonly times: { readonly microseconds: Readonly<Partial<Record<Part, number>>> };
}

export type Networks = Readonly<Record<Part, SavedNetwork | null>> & { readonly model: SavedNetwork };

/**
 * Asks all networks about the same rows.
 *
 * @param testRows only those rows that the model's run kept for testing: the table must be the one it was trained on
 * @throws UsageError when the table does not fit the networks, or the networks one another
 */
export function evaluateNetworks(
  networks: Networks,
  { name, table }: Pick<NamedTable, "name" | "table">,
  testRows: boolean,
): Evaluation {
  const first = networks.model;
  const hash = tableHash(table);
  const rows = testRows ? testRowsOf(networks, name, table.labels, hash) : [...table.labels.keys()];
  const asked = parts.flatMap((part) => {
    const network = networks[part];
    return network ? [{ part, network, x: inputsOf(network, name, table, rows) }] : [];
  });
  const labels = labelsOf(first, name, table, rows);
  const labelled = [...labels.keys()].filter((i) => labels[i] !== unlabelled);
  if (labelled.length === 0 && (networks.teacher === null || networks.twin !== null)) {
    const instead = networks.twin ? "leave out --twin" : "name a --teacher to compare answers with";
    throw new UsageError(`${name}: no row has a class, so nothing is right or wrong; ${instead}`);
  }
  const logits = new Map(
    asked.map(({ part, network, x }) => [part, predictLogits(answering(network, first), x)]),
  );
  const teacherLogits = logits.get("teacher");
  const models = asked.map(({ part, network, x }): EvaluatedModel => {
    const { description, file, model } = network;
    const { name, seed, layers } = description;
    const { parameters, bytes, multiplyAdds } = summary(model, [1, layers[0]]);
    const beside = teacherLogits && part !== "teacher" ? { teacherLogits } : {};
    const unjudged = labelled.length === 0 && part === "teacher";
    const assessment = unjudged ? null : assess(answering(network, first), { x, labels, ...beside });
    return { part, file, name, seed, layers, parameters, bytes, multiplyAdds, assessment };
  });
  const right = (part: Part): boolean[] => {
    const answers = predictLabels(logits.get(part)!);
    return labelled.map((i) => answers[i] === labels[i]);
  };
  const gain = networks.twin && gainOnRows(right("model"), right("twin"));
  const measured = (): [Part, number][] =>
    asked.map(({ part, network, x }) => [part, predictionMicroseconds(network.model, rowsBetween(x, 0, 1))]);
  measured(); // The engine compiles during the first round, at the expense of whoever comes first.
  return {
    data: { name, rows: rows.length, labelledRows: labelled.length, testRows },
    classes: first.description.classes,
    models,
    comparison: gain && { ...gain, sentence: gainOnRowsSentence(gain) },
    notes: notesOn(networks, table, hash, testRows),
    times: { microseconds: Object.fromEntries(measured()) },
  };
}

/** A network that answers in the order of the first one's classes. */
const answering = (network: SavedNetwork, first: SavedNetwork): Teacher => ({
  forward: (x) => inOrderOf(first, network, network.model.forward(x)),
});

/** The rows that the model's run tested on. */
function testRowsOf(
  { model, teacher, twin }: Networks,
  name: string,
  labels: Int32Array,
  hash: string,
): Uint32Array {
  const { tableHash, seed, testShare } = model.description;
  if (hash !== tableHash) {
    throw new UsageError(
      `--test-rows: ${name} is not the table that ${model.file} was trained on, so all its rows may be new; leave --test-rows out`,
    );
  }
  for (const other of [teacher, twin]) {
    if (other === null || other.description.tableHash !== hash) continue;
    if (other.description.seed === seed && other.description.testShare === testShare) continue;
    throw new UsageError(
      `--test-rows: ${other.file} learned from some of the rows that ${model.file} was tested on; name one of the same run and seed`,
    );
  }
  return splitRows(labels, { test: testShare, labels: null }, seed).test;
}

/** What should be known by whoever reads the figures. */
function notesOn(
  { model, teacher, twin }: Networks,
  { labels, rows }: LabelledTable,
  hash: string,
  testRows: boolean,
): string[] {
  const notes: string[] = [];
  if (!testRows && model.description.tableHash === hash) {
    const { test } = splitRows(
      labels,
      { test: model.description.testShare, labels: null },
      model.description.seed,
    );
    notes.push(
      `this is the table of the training, and ${grouped(rows - test.length)} of its ${grouped(rows)} rows were learned from, which flatters; --test-rows takes the other ${grouped(test.length)}`,
    );
  }
  const { recipeHash, tableHash, seed } = model.description;
  for (const [part, other] of Object.entries({ teacher, twin })) {
    if (other === null) continue;
    const { description } = other;
    if (
      description.recipeHash === recipeHash &&
      description.tableHash === tableHash &&
      description.seed === seed
    )
      continue;
    notes.push(
      part === "twin"
        ? "model and twin are not of one run and seed: they may differ in more than the teacher"
        : "model and teacher are not of one run and seed: the model may have learned from another",
    );
  }
  return notes;
}
