/** Floor 4: how much of an answer a store keeps. */
import { kindOf, requireOptions, requireWhole } from "../../arguments.ts";
import { DistilgradError } from "../../errors.ts";
import type { Codec } from "./codec.ts";
import { float16Codec, float32Codec } from "./full-logits.ts";
import { type TopClasses, topClassesCodec } from "./top-classes.ts";

/**
 * How much of an answer is kept: every logit exactly, every logit to eleven bits, or the logits of the likeliest
 * classes.
 */
export type SoftTargetMode = "float32" | "float16" | TopClasses;

/** Requires a mode that a store of so many classes can have. @returns it, with its fields in one order */
export function requireMode(where: string, mode: unknown, classes: number): SoftTargetMode {
  if (mode === "float32" || mode === "float16") return mode;
  if (typeof mode !== "object" || mode === null) {
    throw new DistilgradError(
      "value",
      `${where}: mode must be "float32", "float16" or { top, rest }, got ${kindOf(mode)}`,
    );
  }
  requireOptions(where, mode, ["top", "rest"]);
  const { top, rest } = mode as TopClasses;
  requireWhole(where, "top", top, 1);
  if (top >= classes) {
    throw new DistilgradError(
      "value",
      `${where}: top must be below the number of classes, ${classes}, got ${top}; to keep all, take "float32"`,
    );
  }
  if (rest !== "spread" && rest !== "nothing") {
    throw new DistilgradError(
      "value",
      `${where}: rest must be "spread" or "nothing", got ${kindOf(rest)}; it says how likely the classes are that are not kept`,
    );
  }
  return { top, rest };
}

/** The codec of a mode. */
export function codecOf(mode: SoftTargetMode, classes: number): Codec {
  if (mode === "float32") return float32Codec(classes);
  if (mode === "float16") return float16Codec(classes);
  return topClassesCodec(mode, classes);
}
