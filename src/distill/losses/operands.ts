/** Floor 4: what the losses of distillation ask of their operands before any loop runs. */
import { kindOf } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { lossRowsOf, type Rows, requireSameShape } from "../../ops/operands.ts";
import { formatShape, type Shape } from "../../shape.ts";
import { kernelsOf, type Tensor } from "../../tensor.ts";

/** Requires answers of both models `[rows, classes]`, for the same rows and classes. */
export function requireLogits(
  op: string,
  studentLogits: Tensor,
  teacher: Tensor,
  teacherName = "teacherLogits",
): Rows {
  requireSameShape(op, "studentLogits", studentLogits, teacherName, teacher);
  return lossRowsOf(op, "studentLogits", studentLogits);
}

/** Requires features of the same rows, at least one, each model's of whatever shape a row has; returns how many. */
export function requireSameRows(op: string, student: Tensor, teacher: Tensor): number {
  kernelsOf(op, student, teacher);
  const [s, t] = [student.shape, teacher.shape];
  if (s.length < 2 || t.length < 2 || s[0] !== t[0] || student.size === 0 || teacher.size === 0) {
    throw refusal(op, "student and teacher [rows, …] of the same rows, none of them empty", s, t);
  }
  return s[0];
}

export interface Maps {
  readonly rows: number;
  /** height · width */
  readonly positions: number;
}

/** Requires maps `[rows, channels, height, width]` that differ at most in their channels. */
export function requireMaps(op: string, student: Tensor, teacher: Tensor): Maps {
  kernelsOf(op, student, teacher);
  const [s, t] = [student.shape, teacher.shape];
  const fit = s.length === 4 && t.length === 4 && [0, 2, 3].every((axis) => s[axis] === t[axis]);
  if (!fit || student.size === 0 || teacher.size === 0) {
    const sizes = s.length === 4 && t.length === 4 && (s[2] !== t[2] || s[3] !== t[3]);
    throw refusal(
      op,
      "student and teacher maps [rows, channels, height, width] that differ in channels at most",
      s,
      t,
      sizes ? "; adaptiveAvgPool2d brings maps to one height and width" : "",
    );
  }
  return { rows: s[0], positions: s[2] * s[3] };
}

/** Requires a finite number of at least 0, to multiply a part of a loss with. */
export function requireWeight(op: string, name: string, weight: unknown): void {
  if (!(typeof weight === "number" && weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `${op}: ${name} must be a finite number of at least 0, got ${kindOf(weight)}`,
    );
  }
}

const refusal = (op: string, expected: string, s: Shape, t: Shape, hint = ""): DistilgradError =>
  new DistilgradError(
    "shape",
    `${op}: expected ${expected}, got ${formatShape(s)} and ${formatShape(t)}${hint}`,
  );
