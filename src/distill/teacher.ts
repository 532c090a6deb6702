/** Floor 4: asking a teacher without changing it. */
import { kindOf, requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { noGrad, type Storage } from "../graph.ts";
import { type Features, isParameter, Module } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";

/**
 * Anything that maps x to logits: a module, an object with a `forward`, or a function.
 *
 * Only a module can be put in evaluation mode and checked. A function around a module hides it: hand in the module, or
 * put it in evaluation mode yourself.
 */
export type Teacher = Module | { forward(x: Tensor): Tensor } | ((x: Tensor) => Tensor);

/**
 * The teacher's logits, without a graph. A module runs in evaluation mode and gets its own modes back.
 *
 * @throws when the forward pass writes to the teacher's weights or buffers
 */
export function teacherLogits(teacher: Teacher, x: Tensor): Tensor {
  // Detached as well: a teacher may answer with a tensor of its own, such as a table of logits that it once learned.
  const answer =
    teacher instanceof Module
      ? undisturbed(teacher, () => teacher.forward(x))
      : noGrad(() => (typeof teacher === "function" ? teacher(x) : teacher.forward(x)));
  requireInstance("teacher", "logits as a tensor", answer, Tensor);
  return answer.detach();
}

/** The teacher's logits and everything its layers computed on the way, under the same conditions. */
export function teacherFeatures(teacher: Module, x: Tensor): Features {
  const { logits, features } = undisturbed(teacher, () => teacher.features(x));
  const detached = [...features].map(([name, feature]) => [name, feature.detach()] as const);
  return { logits: logits.detach(), features: new Map(detached) };
}

function undisturbed<T>(teacher: Module, ask: () => T): T {
  const before = snapshot(teacher);
  const answer = teacher.inEvalMode(() => noGrad(ask));
  const name = changedSince(before, teacher);
  if (name !== undefined) {
    throw new DistilgradError(
      "changed",
      `teacher: "${name}" was written to by the forward pass in evaluation mode; a teacher must stay as it is`,
    );
  }
  return answer;
}

/** The first weight or buffer that was written to since a snapshot of the module, by name. */
export function changedSince(before: ReadonlyMap<string, Snapshot>, model: Module): string | undefined {
  const after = snapshot(model);
  for (const [name, { storage, version, isParameter }] of before) {
    // A buffer may be another tensor afterwards: a field that holds the last activation is no weight.
    const now = after.get(name);
    const replaced = now?.storage !== storage;
    if (replaced ? isParameter : now.version !== version) return name;
  }
  return undefined;
}

/** Where a module's weights and buffers lie, and how often they have been written to. */
export interface Snapshot {
  readonly storage: Storage;
  readonly version: number;
  readonly isParameter: boolean;
}

export function snapshot(teacher: Module): Map<string, Snapshot> {
  const found = new Map<string, Snapshot>();
  for (const [name, value] of teacher.stateTensors()) {
    const { storage } = value;
    found.set(name, { storage, version: storage.version, isParameter: isParameter(value) });
  }
  return found;
}

/**
 * Whether it may keep its answers, in a table say, as whatever is no module may, and so may a module that asks such ones
 * as its `members`. Then it is asked outside a step, whose memory is used again.
 */
export function mayKeepAnswers(teacher: Teacher): boolean {
  if (!(teacher instanceof Module)) return true;
  const { members } = teacher as { readonly members?: unknown };
  return Array.isArray(members) && members.some(mayKeepAnswers);
}

/**
 * The only temperature at which a teacher's answers hold, as it says itself in a number `onlyTemperature`; null where
 * they hold at any. A mean of several teachers' probabilities is such an answer.
 */
export function onlyTemperatureOf(teacher: Teacher): number | null {
  const { onlyTemperature } = teacher as { readonly onlyTemperature?: unknown };
  return typeof onlyTemperature === "number" ? onlyTemperature : null;
}

/** Requires that answers which hold at one temperature only are softened by that one. */
export function requireTemperatureOf(
  where: string,
  role: string,
  teacher: Teacher,
  temperature: number,
): void {
  const own = onlyTemperatureOf(teacher);
  if (own === null || own === temperature) return;
  throw new DistilgradError(
    "model",
    `${where}: ${role}'s answers hold at temperature ${own}, expected ${temperature}; an Ensemble gives them with at(${temperature})`,
  );
}

/** Requires something that can be asked. */
export function requireAnswering(where: string, role: string, model: Teacher): void {
  const isClass =
    typeof model === "function" && model.prototype !== undefined && "forward" in model.prototype;
  if (isClass || !(typeof model === "function" || typeof model?.forward === "function")) {
    throw new DistilgradError(
      "model",
      `${where}: ${role} must be a module, an object with a forward method, or a function from x to logits, got ${isClass ? `the class ${model.name}` : kindOf(model)}`,
    );
  }
}

/** Requires a teacher that the training of `student` cannot reach. */
export function requireSeparate(
  where: string,
  teacher: Teacher,
  student: Module,
  optimized: ReadonlyMap<string, Tensor>,
): void {
  requireAnswering(where, "teacher", teacher);
  if (teacher === student) {
    throw new DistilgradError("model", `${where}: teacher and student are the same model; make a second one`);
  }
  if (!(teacher instanceof Module)) return;
  const owned = teacher.stateTensors();
  const trained = sharedBetween(owned, optimized);
  if (trained) {
    throw new DistilgradError(
      "model",
      `${where}: the optimizer's "${trained[1]}" is the teacher's "${trained[0]}"; give the optimizer only what the student trains`,
    );
  }
  const shared = sharedBetween(owned, student.stateTensors());
  if (shared) {
    throw new DistilgradError(
      "model",
      `${where}: the student's "${shared[1]}" is the teacher's "${shared[0]}"; they must not share tensors`,
    );
  }
}

/** The first tensor of `b` that `a` has too, by the name that each has for it. */
export function sharedBetween(
  a: ReadonlyMap<string, Tensor>,
  b: ReadonlyMap<string, Tensor>,
): readonly [inA: string, inB: string] | undefined {
  // By storage, so that a detached or reshaped view of a weight counts as that weight.
  const owned = new Map<Storage, string>();
  for (const [name, value] of a) owned.set(value.storage, name);
  for (const [name, value] of b) {
    const shared = owned.get(value.storage);
    if (shared !== undefined) return [shared, name];
  }
  return undefined;
}
