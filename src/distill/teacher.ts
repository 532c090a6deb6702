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
  const after = snapshot(teacher);
  for (const [name, { storage, version, isParameter }] of before) {
    // A buffer may be another tensor afterwards: a field that holds the last activation is no weight.
    const now = after.get(name);
    const replaced = now?.storage !== storage;
    if (replaced ? isParameter : now.version !== version) {
      throw new DistilgradError(
        "changed",
        `teacher: "${name}" was written to by the forward pass in evaluation mode; a teacher must stay as it is`,
      );
    }
  }
  return answer;
}

interface Snapshot {
  readonly storage: Storage;
  readonly version: number;
  readonly isParameter: boolean;
}

function snapshot(teacher: Module): Map<string, Snapshot> {
  const found = new Map<string, Snapshot>();
  for (const [name, value] of teacher.stateTensors()) {
    const { storage } = value;
    found.set(name, { storage, version: storage.version, isParameter: isParameter(value) });
  }
  return found;
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
  // By storage, so that a detached or reshaped view of a weight counts as that weight.
  const owned = new Map<Storage, string>();
  for (const [name, value] of teacher.stateTensors()) owned.set(value.storage, name);
  for (const [name, value] of optimized) {
    const shared = owned.get(value.storage);
    if (shared !== undefined) {
      throw new DistilgradError(
        "model",
        `${where}: the optimizer's "${name}" is the teacher's "${shared}"; give the optimizer only what the student trains`,
      );
    }
  }
  for (const [name, value] of student.stateTensors()) {
    const shared = owned.get(value.storage);
    if (shared !== undefined) {
      throw new DistilgradError(
        "model",
        `${where}: the student's "${name}" is the teacher's "${shared}"; they must not share tensors`,
      );
    }
  }
}
