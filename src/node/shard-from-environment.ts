/** Floor 5: which of several workers this process is, as its launcher says. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { isWholeNumeral } from "../io/decimal.ts";

/** A worker's place, as far as its environment knows. */
export interface EnvironmentShard {
  /** Which worker, from 0. */
  readonly index: number;
  /** How many there are; null where the environment does not say, as in Kubernetes: it must be given. */
  readonly count: number | null;
  /** Who says so, such as "Slurm array". */
  readonly source: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The shard of this process, from the variables that launchers set.
 *
 * | launcher | index | count |
 * |---|---|---|
 * | Slurm array | (SLURM_ARRAY_TASK_ID − _MIN) / step | SLURM_ARRAY_TASK_COUNT |
 * | Kubernetes indexed job | JOB_COMPLETION_INDEX | not said |
 * | AWS Batch array | AWS_BATCH_JOB_ARRAY_INDEX | AWS_BATCH_JOB_ARRAY_SIZE |
 * | Open MPI | OMPI_COMM_WORLD_RANK | OMPI_COMM_WORLD_SIZE |
 * | MPI (PMI) | PMI_RANK | PMI_SIZE |
 * | Slurm tasks | SLURM_PROCID | SLURM_NTASKS |
 *
 * The step of a Slurm array is (SLURM_ARRAY_TASK_MAX − _MIN) / (count − 1), and 1 where no maximum is set. Inside MPI, what
 * Slurm says of its tasks is about the launcher and is not read. One of one is no shard beside another. Nothing is guessed:
 * where two launchers still say different things, such as an array of MPI programs, that is an error.
 *
 * @param env such as `process.env`
 * @returns null where no launcher says anything
 * @throws `value` on a variable that is no whole number, an index without its array, one that is not below its count, and
 *   launchers that contradict each other
 * @see https://slurm.schedmd.com/job_array.html; https://kubernetes.io/docs/concepts/workloads/controllers/job/;
 *   https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
 */
export function shardFromEnvironment(env: Environment): EnvironmentShard | null {
  if (typeof env !== "object" || env === null) {
    throw new DistilgradError(
      "value",
      `shardFromEnvironment: expected variables such as process.env, got ${kindOf(env)}`,
    );
  }
  const openMpi = shardIn(env, "Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  const mpi = shardIn(env, "MPI", "PMI_RANK", "PMI_SIZE");
  const said = [
    slurmArray(env),
    shardIn(env, "Kubernetes", "JOB_COMPLETION_INDEX"),
    shardIn(env, "AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    openMpi,
    mpi,
    openMpi === null && mpi === null ? shardIn(env, "Slurm tasks", "SLURM_PROCID", "SLURM_NTASKS") : null,
  ].filter((shard) => shard !== null);
  const several = said.filter(({ count }) => count !== 1);
  const [first = said[0] ?? null, ...others] = several;
  for (const other of others) {
    if (other.index === first.index && other.count === first.count) continue;
    throw new DistilgradError(
      "value",
      `shardFromEnvironment: expected one shard, got ${inWords(first)} and ${inWords(other)}; say which it is`,
    );
  }
  return first;
}

/** What one pair of variables says; null where there is no index. */
function shardIn(env: Environment, source: string, index: string, count?: string): EnvironmentShard | null {
  const at = wholeIn(env, index);
  if (at === null) return null;
  return below({ index: at, count: count === undefined ? null : wholeIn(env, count), source });
}

function slurmArray(env: Environment): EnvironmentShard | null {
  const [task, count, least, most] = ["ID", "COUNT", "MIN", "MAX"].map((name) =>
    wholeIn(env, `SLURM_ARRAY_TASK_${name}`),
  );
  if (task === null) return null;
  if (count === null || least === null) {
    throw new DistilgradError(
      "value",
      "shardFromEnvironment: SLURM_ARRAY_TASK_ID needs SLURM_ARRAY_TASK_COUNT and SLURM_ARRAY_TASK_MIN beside it",
    );
  }
  const step = most === null || count <= 1 ? 1 : (most - least) / (count - 1);
  const index = (task - least) / step;
  if (!Number.isInteger(index) || index < 0 || !Number.isInteger(step)) {
    throw new DistilgradError(
      "value",
      `shardFromEnvironment: expected a Slurm array with equal steps, got task ${task} of ${count} from ${least} to ${most}`,
    );
  }
  return below({ index, count, source: "Slurm array" });
}

function wholeIn(env: Environment, name: string): number | null {
  const text = env[name];
  if (text === undefined) return null;
  const value = Number(text);
  if (text === "" || !isWholeNumeral(text) || !Number.isSafeInteger(value)) {
    throw new DistilgradError(
      "value",
      `shardFromEnvironment: ${name} must be a whole number of at least 0, got ${JSON.stringify(text)}`,
    );
  }
  return value;
}

function below(shard: EnvironmentShard): EnvironmentShard {
  if (shard.count === null || shard.index < shard.count) return shard;
  throw new DistilgradError(
    "value",
    `shardFromEnvironment: expected an index below the count, got ${inWords(shard)}`,
  );
}

const inWords = ({ index, count, source }: EnvironmentShard): string =>
  `index ${index} of ${count ?? "an unknown number"} (${source})`;
