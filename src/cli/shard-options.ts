/** Floor 6: which of several processes this is, as its options or its launcher say. */
import type { Shard } from "../distill/soft-targets/shard-rows.ts";
import { DistilgradError } from "../errors.ts";
import { shardFromEnvironment } from "../node/shard-from-environment.ts";
import { type Option, wholeNumber } from "./options.ts";
import { UsageError } from "./usage-error.ts";

const shard: Option<Shard | null> = {
  placeholder: "I/N",
  help: "Answers the rows of one of N equal parts, the first of which is 0/N",
  default: null,
  shownDefault: "what Slurm, Kubernetes, AWS Batch or MPI say, else all rows",
  requires: "I/N with I from 0 to below N, such as 0/3, 1/3 and 2/3",
  read(text) {
    const [, index, count] = (/^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? []).map(Number);
    return index < count ? { index, count } : undefined;
  },
};

export const shardOptions = {
  shard,
  shards: wholeNumber({
    help: "How many parts there are, where the launcher says only which one this is, as Kubernetes does",
    default: null,
    least: 1,
  }),
};

export interface ChosenShard extends Shard {
  /** The launcher that says so; null where an option does. */
  readonly source: string | null;
}

/**
 * The part that is to be done: all of it, 0/1, where nothing else is said. An option goes before the environment, which is not asked then.
 *
 * @throws UsageError where options contradict each other or the launcher, or leave open how many there are
 */
export function chosenShard(
  command: string,
  values: { readonly shard: Shard | null; readonly shards: number | null },
  environment: Readonly<Record<string, string | undefined>>,
): ChosenShard {
  const { shard, shards } = values;
  const fail = (what: string): UsageError => new UsageError(`${command}: ${what}`);
  if (shard !== null) {
    if (shards === null || shards === shard.count) return { ...shard, source: null };
    throw fail(
      `--shards ${shards} contradicts --shard ${shard.index}/${shard.count}; leave out --shards, which --shard says too`,
    );
  }
  const said = launched(fail, environment);
  if (said === null) {
    if (shards === null) return { index: 0, count: 1, source: null };
    throw fail(
      `--shards ${shards} says how many parts there are, and nothing says which this is; give --shard I/${shards} with I from 0`,
    );
  }
  const { index, source } = said;
  const count = said.count ?? shards;
  if (count === null) {
    throw fail(`${source} says that this is part ${index}, and not of how many; give --shards N`);
  }
  if (shards !== null && shards !== count) {
    throw fail(
      `--shards ${shards} contradicts ${source}, which says ${index}/${count}; leave it out, or give --shard I/N`,
    );
  }
  if (index >= count) {
    throw fail(
      `${source} says that this is part ${index}, and the last of --shards ${count} is ${count - 1}`,
    );
  }
  return { index, count, source };
}

function launched(
  fail: (what: string) => UsageError,
  environment: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof shardFromEnvironment> {
  try {
    return shardFromEnvironment(environment);
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    throw fail(`${error.message.replace(/^shardFromEnvironment: /, "")}; --shard I/N goes before it`);
  }
}
