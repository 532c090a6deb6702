import { requireInstance, requireOptions } from "../../arguments.ts";
import { Module, type NamedTensors } from "../../nn/module.ts";
import {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  type ExponentialMovingAverageState,
} from "../../optim/exponential-moving-average.ts";
import { requireSeparate } from "../teacher.ts";

export interface MeanTeacherOptions extends ExponentialMovingAverageOptions {
  /** The model that learns. */
  readonly student: Module;
  /** A second model of the same shape. Its weights and buffers are overwritten. */
  readonly teacher: Module;
}

/** Everything that the next update depends on besides the student; its own copy. */
export interface MeanTeacherState {
  readonly average: ExponentialMovingAverageState;
  /** The teacher's weights and buffers. */
  readonly weights: NamedTensors;
}

/**
 * A teacher whose weights are the average of its student's: it is ahead of the student by having no noise of single
 * steps, and follows it.
 *
 *     a = min(1 − 1 / (n + 1), decay)          n counts the updates before this one
 *     θ_t ← a θ_t + (1 − a) θ_s
 *
 * It starts as the student is. Buffers such as running statistics are the student's own.
 *
 *     const mean = new MeanTeacher({ student, teacher });
 *     const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer });
 *     for (const step of fit(trainer, batches, { epochs })) mean.update();
 *
 * @see Tarvainen & Valpola, Mean teachers are better role models (2017), arXiv 1703.01780, §2 and §3.2
 */
export class MeanTeacher {
  readonly student: Module;
  readonly teacher: Module;
  readonly #average: ExponentialMovingAverage;

  /** @throws when the two share tensors, or differ in a name or a shape; then nothing was overwritten */
  constructor(options: MeanTeacherOptions) {
    requireOptions("MeanTeacher", options, ["student", "teacher", "decay"]);
    const { student, teacher, ...settings } = options;
    requireInstance("MeanTeacher", "student, a Module", student, Module);
    requireInstance("MeanTeacher", "teacher, a Module", teacher, Module);
    requireSeparate("MeanTeacher", teacher, student, new Map());
    this.student = student;
    this.teacher = teacher;
    this.#average = new ExponentialMovingAverage(student, settings);
    teacher.loadStateDict(student.stateDict());
  }

  /** Takes in the student's weights as they are; after each step of the trainer. */
  update(): void {
    this.#average.update();
    this.teacher.loadStateDict(this.#average.stateDict());
  }

  /** What the next update depends on besides the student, and the teacher as it is; a copy. */
  state(): MeanTeacherState {
    return { average: this.#average.state(), weights: this.teacher.stateDict() };
  }

  /** Continues from a state that `state` returned. @throws when it does not fit, listing why; nothing is restored */
  restore(state: MeanTeacherState): void {
    requireOptions("restore", state, ["average", "weights"]);
    const before = this.#average.state();
    this.#average.restore(state.average);
    try {
      this.teacher.loadStateDict(state.weights);
    } catch (error) {
      this.#average.restore(before);
      throw error;
    }
  }
}
