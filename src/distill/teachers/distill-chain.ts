import { kindOf, requireInstance, requireSynchronous } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { Module } from "../../nn/module.ts";
import { changedSince, requireAnswering, sharedBetween, snapshot, type Teacher } from "../teacher.ts";

/**
 * Teaches one student after the other: each is taught by the one before, the first by `teacher`.
 *
 *     teacher → students[0] → students[1] → …
 *
 * Students of ever smaller size are teacher assistants: a teacher that is far larger than its student may teach it worse
 * than one in between. Students of equal size, each with weights of its own to start from, are born-again generations,
 * which often end above the first teacher, and more so as an ensemble.
 *
 *     const generations = distillChain(teacher, students, (teacher, student) => {
 *       const trainer = new KnowledgeDistillationTrainer({ teacher, student, optimizer: new Adam(student.parameters()) });
 *       for (const _ of fit(trainer, batches, { epochs: 20 }));
 *     });
 *     evaluate(new Ensemble(generations.slice(1)), test);
 *
 * Around what a loop would do, it holds that no two models share a tensor, before anything is trained, and that no
 * generation changes but the one that learns.
 *
 * @param teach trains `student` from `teacher`; `generation` counts from 1
 * @returns all models, the first teacher included
 * @see Mirzadeh et al., Improved Knowledge Distillation via Teacher Assistant (2020), arXiv 1902.03393, §3; Furlanello et
 *   al., Born-Again Neural Networks (2018), arXiv 1805.04770, §3
 */
export function distillChain(
  teacher: Teacher,
  students: readonly Module[],
  teach: (teacher: Teacher, student: Module, generation: number) => void,
): readonly [Teacher, ...Module[]] {
  if (!Array.isArray(students) || students.length === 0) {
    const got = Array.isArray(students) ? "none" : kindOf(students);
    throw new DistilgradError("model", `distillChain: expected a list of at least one student, got ${got}`);
  }
  requireInstance("distillChain", "a function that teaches", teach, Function);
  const models: [Teacher, ...Module[]] = [teacher, ...(students as readonly Module[])];
  requireAnswering("distillChain", "teacher", teacher);
  for (const [i, student] of students.entries()) {
    requireInstance("distillChain", "students that are Modules", student, Module);
    for (const [generation, earlier] of models.slice(0, i + 1).entries()) {
      const shared =
        earlier instanceof Module && sharedBetween(earlier.stateTensors(), student.stateTensors());
      if (!shared) continue;
      throw new DistilgradError(
        "model",
        `distillChain: generation ${i + 1}'s "${shared[1]}" is generation ${generation}'s "${shared[0]}"; models must not share tensors`,
      );
    }
  }
  for (const [i, student] of students.entries()) {
    const others = models.flatMap((model, generation) =>
      model instanceof Module && model !== student ? { model, generation, before: snapshot(model) } : [],
    );
    const result: unknown = teach(models[i], student, i + 1);
    requireSynchronous(
      "value",
      "distillChain",
      result,
      "write the loop yourself where each step awaits something",
    );
    for (const { model, generation, before } of others) {
      const name = changedSince(before, model);
      if (name === undefined) continue;
      throw new DistilgradError(
        "changed",
        `distillChain: "${name}" of generation ${generation} was written to while generation ${i + 1} learned; train only the student that teach is given`,
      );
    }
  }
  return models;
}
