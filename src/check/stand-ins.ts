/**
 * Annex: modules whose tensors stand aside for float64 ones while something is computed. Knows a module's fields as
 * `Module` documents them: tensors, streams and modules, in fields and in arrays that are fields.
 */
import { float64 } from "../kernels/float64.ts";
import type { Floats } from "../kernels/kernels.ts";
import type { Module } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";

/** Modules that can compute with other tensors than their own. */
export interface StandIns {
  /** What the first of the modules trains, by name, as copies in float64. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /**
   * Runs `compute` with these tensors in place of the parameters, in the order of `parameters`, and with float64 copies
   * in place of all other tensors. Every run starts from the same values, modes and random streams; when it is over,
   * by an error too, the modules are as they were to the last bit, fields and modes included.
   */
  with<T>(tensors: readonly Tensor[], compute: () => T): T;
}

/** An object or array, as it is when this is made. */
interface Fields {
  readonly holder: object;
  readonly values: ReadonlyMap<PropertyKey, unknown>;
}

/** @param roots the module that learns, then others that it computes with, such as a teacher */
export function standIns(roots: readonly Module[]): StandIns {
  const modules = ancestorsFirst(roots);
  const modes = modules.map((module) => module.training);
  const streams = roots
    .flatMap((root) => [...root.streams().values()])
    .map((stream) => ({ stream, state: stream.state() }));
  const fields = modules.flatMap(fieldsOf);
  const trained = [...roots[0].parameters()].filter(([, { requiresGrad }]) => requiresGrad);
  const rest = new Set(roots.flatMap((root) => [...root.stateTensors().values()]));
  for (const [, parameter] of trained) rest.delete(parameter);

  const restore = (): void => {
    for (const { holder, values } of fields) {
      for (const name of Reflect.ownKeys(holder)) if (!values.has(name)) Reflect.deleteProperty(holder, name);
      for (const [name, value] of values) {
        if (Reflect.get(holder, name) !== value) Reflect.set(holder, name, value);
      }
    }
    for (const [i, module] of modules.entries()) modes[i] ? module.train() : module.eval();
    for (const { stream, state } of streams) stream.restore(state);
  };

  return {
    parameters: new Map(trained.map(([name, parameter]) => [name, inDouble(parameter)])),
    with(tensors, compute) {
      const stands = new Map<unknown, Tensor>();
      for (const [i, [, parameter]] of trained.entries()) stands.set(parameter, tensors[i]);
      for (const value of rest) stands.set(value, inDouble(value));
      try {
        for (const { holder, values } of fields) {
          for (const [name, value] of values) {
            const stand = stands.get(value);
            if (stand !== undefined) Reflect.set(holder, name, stand);
          }
        }
        return compute();
      } finally {
        restore();
      }
    },
  };
}

/** A copy in float64, without a past. */
export const inDouble = ({
  data,
  shape,
}: {
  readonly data: Floats;
  readonly shape: Tensor["shape"];
}): Tensor => new Tensor(Float64Array.from(data), shape, float64);

/** A module's fields, and the entries and length of those that are arrays. */
function fieldsOf(module: Module): Fields[] {
  const holders = [module, ...Object.values(module).filter((value) => Array.isArray(value))];
  return holders.map((holder) => ({
    holder,
    values: new Map(Reflect.ownKeys(holder).map((name) => [name, Reflect.get(holder, name)])),
  }));
}

/** The modules and all within them, each once and after all that contain it: a mode reaches down when it is set. */
function ancestorsFirst(roots: readonly Module[]): Module[] {
  const descendantsFirst = new Set<Module>();
  const entered = new Set<Module>();
  const visit = (module: Module): void => {
    if (entered.has(module)) return;
    entered.add(module);
    for (const child of module.children().values()) visit(child);
    descendantsFirst.add(module);
  };
  for (const root of roots) visit(root);
  return [...descendantsFirst].reverse();
}
