/** Floor 6: how much of an answer is kept, as one word. */
import type { SoftTargetMode } from "../distill/soft-targets/mode.ts";
import type { Option } from "./options.ts";

export const softTargetMode: Option<SoftTargetMode> = {
  placeholder: "MODE",
  help:
    "What is kept of an answer: float32 or float16, every logit; top-K, the K likeliest classes, the others as likely as " +
    "they are on average; top-K:nothing, the others impossible",
  default: "float32",
  shownDefault: "float32",
  requires: "float32, float16, top-K or top-K:nothing with a whole K of at least 1, such as top-5",
  read(text) {
    if (text === "float32" || text === "float16") return text;
    const [, top, rest = "spread"] = /^top-([1-9]\d{0,8})(?::(spread|nothing))?$/.exec(text) ?? [];
    return top === undefined ? undefined : { top: Number(top), rest: rest as "spread" | "nothing" };
  },
};

/** The word that stands for a mode. */
export const modeName = (mode: SoftTargetMode): string =>
  typeof mode === "string" ? mode : `top-${mode.top}${mode.rest === "nothing" ? ":nothing" : ""}`;
