/** Floor 4: asking a teacher without changing it. */
import { DistilgradError } from "../errors.ts";
import { noGrad, type Storage } from "../graph.ts";
import { type Features, Module } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";

/** Anything that maps x to logits: a module, an object with a `forward`, or a function. */
export type Teacher = Module | { forward(x: Tensor): Tensor } | ((x: Tensor) => Tensor);

/**
 * The teacher's logits, without a graph. A module runs in evaluation mode and gets its own modes back.
 *
 * @throws when the forward pass writes to the teacher's weights or buffers
 */
export function teacherLogits(teacher: Teacher, x: Tensor): Tensor {
  // Detached as well: a teacher may answer with a tensor of its own, such as a table of logits that it once learned.
  if (teacher instanceof Module) return undisturbed(teacher, () => teacher.forward(x)).detach();
  return noGrad(() => (typeof teacher === "function" ? teacher(x) : teacher.forward(x))).detach();
}

/** The teacher's logits and everything its layers computed on the way, under the same conditions. */
export function teacherFeatures(teacher: Module, x: Tensor): Features {
  const { logits, features } = undisturbed(teacher, () => teacher.features(x));
  const detached = [...features].map(([name, feature]) => [name, feature.detach()] as const);
  return { logits: logits.detach(), features: new Map(detached) };
}

function undisturbed<T>(teacher: Module, ask: () => T): T {
  const before = versions(teacher);
  const answer = teacher.inEvalMode(() => noGrad(ask));
  const after = versions(teacher);
  for (const [name, version] of after) {
    if (before.get(name) !== version) {
      throw new DistilgradError(
        "changed",
        `teacher: "${name}" was written to by the forward pass in evaluation mode; a teacher must stay as it is`,
      );
    }
  }
  return answer;
}

function versions(teacher: Module): Map<string, number> {
  const found = new Map<string, number>();
  for (const tensors of [teacher.parameters(), teacher.buffers()]) {
    for (const [name, value] of tensors) found.set(name, value.storage.version);
  }
  return found;
}

/** Requires a teacher that the training of `student` cannot reach. */
export function requireSeparate(
  where: string,
  teacher: Teacher,
  student: Module,
  optimized: ReadonlyMap<string, Tensor>,
): void {
  const usable = typeof teacher === "function" || typeof teacher?.forward === "function";
  if (!usable) {
    throw new DistilgradError(
      "model",
      `${where}: teacher must be a module, an object with a forward method, or a function from x to logits`,
    );
  }
  if (teacher === student) {
    throw new DistilgradError("model", `${where}: teacher and student are the same model; make a second one`);
  }
  if (!(teacher instanceof Module)) return;
  // By storage, so that a detached or reshaped view of a weight counts as that weight.
  const owned = new Map<Storage, string>();
  for (const tensors of [teacher.parameters(), teacher.buffers()]) {
    for (const [name, value] of tensors) owned.set(value.storage, name);
  }
  for (const [name, value] of optimized) {
    const shared = owned.get(value.storage);
    if (shared !== undefined) {
      throw new DistilgradError(
        "model",
        `${where}: the optimizer's "${name}" is the teacher's "${shared}"; give the optimizer only what the student trains`,
      );
    }
  }
  for (const [name, value] of [...student.parameters(), ...student.buffers()]) {
    const shared = owned.get(value.storage);
    if (shared !== undefined) {
      throw new DistilgradError(
        "model",
        `${where}: the student's "${name}" is the teacher's "${shared}"; they must not share tensors`,
      );
    }
  }
}
