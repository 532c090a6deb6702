/** Floor 6: what is wrong with files of soft targets, in the words of the command line. */
import { DistilgradError } from "../errors.ts";
import { printable } from "./printable.ts";
import { UsageError } from "./usage-error.ts";

const ops =
  /\b(recordSoftTargetShard|recordSoftTargets?|loadSoftTargetShards|loadSoftTargets|readSoftTargets|mergeSoftTargets|SoftTargets(\.\w+)?): /g;

/**
 * What `work` returns; what it refuses, and what the system refuses it, is said in one sentence.
 *
 * @param path what the system's refusal is about where it does not say so itself
 */
export function refusing<T>(command: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DistilgradError || isOfSystem(error))) throw error;
    const message = error instanceof DistilgradError ? error.message.replace(ops, "") : reasonOf(error, path);
    throw new UsageError(`${command}: ${printable(message)}`, { cause: error });
  }
}

type SystemError = Error & { readonly syscall: string; readonly code: string; readonly path?: string };

const isOfSystem = (error: unknown): error is SystemError => error instanceof Error && "syscall" in error;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "is a file, not a folder",
  EEXIST: "is a file, not a folder",
  EISDIR: "is a folder, not a file",
  EACCES: "may not be read or written (permission denied)",
};

/** A temporary file goes by the name that it is to take. */
function reasonOf({ code, path }: SystemError, otherwise: string): string {
  const named = path?.replace(/\.([^/\\]+)\.[0-9a-f]{16}\.tmp$/, "$1") ?? otherwise;
  return `${named}: ${reasons[code] ?? `the system says ${code}`}`;
}
