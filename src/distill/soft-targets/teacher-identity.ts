/** Floor 4: which teacher it is. */
import { kindOf } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import { Module } from "../../nn/module.ts";
import { stateHash } from "../../nn/state-hash.ts";
import { requireTemperature } from "../../ops/soft-target-loss.ts";
import { mayKeepAnswers, onlyTemperatureOf, requireAnswering, type Teacher } from "../teacher.ts";

/**
 * What tells a teacher from others: `sha256:…` of a module's names, shapes and values, and the name that the caller gives
 * it. A teacher whose answers come from elsewhere, such as a function, must have one: `name:…`.
 */
export function teacherIdentity(where: string, teacher: Teacher, name: string | undefined): string {
  requireAnswering(where, "teacher", teacher);
  if (name === undefined ? mayKeepAnswers(teacher) : typeof name !== "string" || name === "") {
    throw new DistilgradError(
      "value",
      `${where}: a teacher that is no module, or has a member that is none, needs a teacherName, which no other one has, got ${kindOf(name)}`,
    );
  }
  if (!(teacher instanceof Module)) return `name:${name}`;
  return `sha256:${stateHash(teacher.stateDict())}${name === undefined ? "" : ` name:${name}`}`;
}

/** The only temperature at which a teacher's answers hold, as it says itself; null where they hold at any. */
export function temperatureOf(where: string, teacher: Teacher): number | null {
  const temperature = onlyTemperatureOf(teacher);
  return temperature === null ? null : requireTemperature(where, temperature);
}
