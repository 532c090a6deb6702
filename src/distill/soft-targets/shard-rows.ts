/** Floor 4: who does which rows. */
import { requireOptions, requireWhole } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";

/** One of several equal workers. */
export interface Shard {
  /** Which one, from 0. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/**
 * The rows of one of `count` shards, which are as equal as can be and together all rows, each once.
 *
 *     start = ⌊index · rows / count⌋        end = ⌊(index + 1) · rows / count⌋
 *
 * @returns rows from `start` up to but not including `end`; none where there are more shards than rows
 * @throws `value` for an index that is not below the count
 */
export function shardRows(
  rows: number,
  index: number,
  count: number,
): { readonly start: number; readonly end: number } {
  requireWhole("shardRows", "rows", rows, 0);
  requireShard("shardRows", { index, count });
  if (!Number.isSafeInteger(rows * count)) {
    throw new DistilgradError("value", `shardRows: ${rows} rows in ${count} shards are too many to count`);
  }
  return { start: Math.floor((index * rows) / count), end: Math.floor(((index + 1) * rows) / count) };
}

/** Requires an index below a count. */
export function requireShard(where: string, shard: Shard): void {
  requireOptions(where, shard, ["index", "count"]);
  requireWhole(where, "count", shard.count, 1);
  requireWhole(where, "index", shard.index, 0);
  if (shard.index >= shard.count) {
    throw new DistilgradError(
      "value",
      `${where}: index must be below count, counted from 0, got ${shard.index} of ${shard.count}`,
    );
  }
}
