/** Floor 4: the likeliest classes of an answer, and what is kept of the others together. */
import { DistilgradError } from "../../errors.ts";
import { exp, log } from "../../math.ts";
import type { Codec } from "./codec.ts";

/** Keeps the logits of the likeliest classes. */
export interface TopClasses {
  /** How many classes are kept of each answer: at least 1, and fewer than there are. */
  readonly top: number;
  /**
   * How likely the others are, by their logit u:
   *
   * * `"spread"`: u = lse(rest) − log(number of others). At temperature 1 the probability that is missing is shared among
   *   them evenly, and those that are kept have the teacher's own; at another temperature the answer is the softmax of
   *   these logits.
   * * `"nothing"`: u = −∞. They have probability 0, and those that are kept share 1 in their proportions, at every
   *   temperature. Only losses that read the teacher's probabilities take −∞, such as `softTargetLoss`.
   */
  readonly rest: "spread" | "nothing";
}

/**
 * A record of k logits, classes ascending, the log-sum-exp of all others at temperature 1, and the k classes. Of equal
 * logits the first class is the likelier. A class takes two bytes, or four where there are more than 2¹⁶.
 */
export function topClassesCodec({ top, rest }: TopClasses, classes: number): Codec {
  const wide = classes > 65536;
  const indices = 4 * (top + 1);
  return {
    bytes: indices + (wide ? 4 : 2) * top,

    write(view, at, logits, from) {
      const ranked = Array.from({ length: classes }, (_, j) => j);
      ranked.sort((a, b) => logits[from + b] - logits[from + a] || a - b);
      const kept = ranked.slice(0, top).sort((a, b) => a - b);
      for (let i = 0; i < top; i++) {
        view.setFloat32(at + 4 * i, logits[from + kept[i]], true);
        if (wide) view.setUint32(at + indices + 4 * i, kept[i], true);
        else view.setUint16(at + indices + 2 * i, kept[i], true);
      }
      const most = logits[from + ranked[top]];
      let sum = 0;
      for (let i = top; i < classes; i++) sum += exp(logits[from + ranked[i]] - most);
      view.setFloat32(at + 4 * top, most + log(sum), true);
    },

    read(view, at, logits, from) {
      const share = view.getFloat32(at + 4 * top, true) - log(classes - top);
      logits.fill(rest === "spread" ? share : Number.NEGATIVE_INFINITY, from, from + classes);
      for (let i = 0, before = -1; i < top; i++) {
        const kept = wide
          ? view.getUint32(at + indices + 4 * i, true)
          : view.getUint16(at + indices + 2 * i, true);
        if (kept <= before || kept >= classes) {
          throw new DistilgradError(
            "data",
            `SoftTargets: expected ${top} of ${classes} classes in ascending order, got ${kept} after ${before}`,
          );
        }
        logits[from + kept] = view.getFloat32(at + 4 * i, true);
        before = kept;
      }
    },
  };
}
