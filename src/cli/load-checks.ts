/** Floor 6: what a user's module wants to have checked. */
import { stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { kindOf } from "../arguments.ts";
import {
  type CheckOptions,
  type Differentiable,
  type GradcheckModuleOptions,
  type GradcheckOptions,
  type GradcheckReport,
  gradcheck,
  gradcheckModule,
  gradcheckTrainer,
  type ModuleCheckOptions,
} from "../check/index.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Trainer } from "../distill/trainer.ts";
import { randn } from "../factories.ts";
import { float64 } from "../kernels/float64.ts";
import type { Module } from "../nn/module.ts";
import { RandomStream } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { printable, shortened } from "./printable.ts";
import { UsageError } from "./usage-error.ts";

/** An entry of the exported `checks`: one of fn, module and trainer, with what it is called with, and settings. */
export type Entry =
  | ({ readonly fn: Differentiable; readonly inputs: readonly Tensor[] } & GradcheckOptions)
  | ({ readonly module: Module; readonly inputs: readonly Tensor[] } & GradcheckModuleOptions)
  | ({ readonly trainer: Trainer; readonly batch: Dataset } & ModuleCheckOptions);

export interface Check {
  readonly name: string;
  readonly run: () => GradcheckReport;
}

/** What may follow `--seed` and `--step`; an entry's own settings go before. */
export type Settings = Pick<CheckOptions, "seed" | "step">;

/** Of the tensors that are drawn where a module gives none. */
const DRAWN = [2, 3];

/**
 * The checks of a module: the entries of its export `checks`; without one, every function with parameters that it
 * exports, called with a drawn tensor [2, 3] for each.
 *
 * @param load how a module is imported
 * @throws UsageError when there is no such module, or nothing to check in it
 */
export async function loadChecks(
  path: string,
  settings: Settings & { readonly seed: number },
  load: (url: string) => Promise<Readonly<Record<string, unknown>>> = (url) => import(/* @vite-ignore */ url),
): Promise<readonly Check[]> {
  const file = printable(path);
  await requireFile(file, path);
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await load(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new UsageError(`${file}: ${whyNotLoaded(path, error)}`, { cause: error });
  }
  const { checks } = exported;
  const found = checks === undefined ? exportedFunctions(exported, settings) : listed(file, checks, settings);
  if (found.length > 0) return found;
  throw new UsageError(
    `${file}: expected ${checks === undefined ? "an exported function, or an export" : "at least one entry in"} checks = { name: { fn, inputs } }, got none`,
  );
}

async function requireFile(file: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new UsageError(`${file}: no such file`);
  if (found.isDirectory()) throw new UsageError(`${file}: is a folder, not a file`);
}

function whyNotLoaded(path: string, error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${kindOf(error)} when it was loaded`;
  if ("code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION" && /^\.[cm]?tsx?$/.test(extname(path))) {
    return `Node ${process.versions.node} does not run TypeScript; compile it first, or use Node 22.18 or newer`;
  }
  return `cannot be loaded: ${error.name}: ${printable(error.message.split("\n")[0])}`;
}

function exportedFunctions(
  exported: Readonly<Record<string, unknown>>,
  settings: Required<Pick<Settings, "seed">> & Settings,
): Check[] {
  return Object.entries(exported).flatMap(([name, value]) => {
    if (typeof value !== "function" || value.length === 0 || /^class\b/.test(String(value))) return [];
    const random = new RandomStream(settings.seed, "inputs");
    const inputs = Array.from({ length: value.length }, () => randn(DRAWN, { random, kernels: float64 }));
    return { name, run: () => gradcheck(value as Differentiable, inputs, { name, ...settings }) };
  });
}

function listed(file: string, checks: unknown, settings: Settings): Check[] {
  if (typeof checks !== "object" || checks === null) {
    throw new UsageError(`${file}: checks must be an object { name: { fn, inputs } }, got ${kindOf(checks)}`);
  }
  return Object.entries(checks).map(([name, entry]) => {
    const subjects = ["fn", "module", "trainer"].filter((subject) => entry?.[subject] !== undefined);
    if (subjects.length !== 1) {
      const got = subjects.length > 1 ? subjects.join(" and ") : kindOf(entry);
      throw new UsageError(
        `${file}: checks.${shortened(name)} must be { fn, inputs }, { module, inputs } or { trainer, batch }, got ${got}`,
      );
    }
    return { name, run: () => runEntry(entry as Entry, { name, ...settings }) };
  });
}

function runEntry(entry: Entry, settings: CheckOptions): GradcheckReport {
  if ("fn" in entry) {
    const { fn, inputs, ...own } = entry;
    return gradcheck(fn, inputs, { ...settings, ...own });
  }
  if ("module" in entry) {
    const { module, inputs, ...own } = entry;
    return gradcheckModule(module, inputs, { ...settings, ...own });
  }
  const { trainer, batch, ...own } = entry;
  return gradcheckTrainer(trainer, batch, { ...settings, ...own });
}
