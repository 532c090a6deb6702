/** Floor 3: the order of an epoch in which every class comes equally often. Knows row numbers, no rows. */
import { DistilgradError } from "../errors.ts";
import type { RandomStream } from "../random.ts";
import { type Dataset, unlabelled } from "./dataset.ts";

/** The rows of each class that has any. @throws when a row has no label */
export function rowsByClass(where: string, { labels }: Dataset): number[][] {
  if (labels === undefined) {
    throw new DistilgradError("labels", `${where}: balanced needs labels, and the dataset has none`);
  }
  const classes = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    if (label === unlabelled) {
      throw new DistilgradError(
        "labels",
        `${where}: balanced needs a label for every row, row ${row} has none; take the labelled rows first`,
      );
    }
    const rows = classes.get(label);
    if (rows === undefined) classes.set(label, [row]);
    else rows.push(row);
  }
  return [...classes.values()];
}

/**
 * As many turns as there are rows, each class as many as any other, give or take one.
 *
 *     turn i is of class lots[slots[i] mod classes]        lots and slots: random permutations
 *
 * so chance decides who gets the turns that are left over. A class deals its rows from a deck, shuffled again whenever
 * it is used up: each row comes once before one comes twice.
 */
export function balancedOrder(classes: readonly (readonly number[])[], random: RandomStream): Uint32Array {
  const lots = random.permutation(classes.length);
  const order = random.permutation(classes.reduce((rows, { length }) => rows + length, 0));
  const decks: Uint32Array[] = classes.map(() => new Uint32Array(0));
  const dealt = new Uint32Array(classes.length);
  for (let i = 0; i < order.length; i++) {
    const at = lots[order[i] % classes.length];
    if (dealt[at] === decks[at].length) {
      decks[at] = random.permutation(classes[at].length);
      dealt[at] = 0;
    }
    order[i] = classes[at][decks[at][dealt[at]++]];
  }
  return order;
}
