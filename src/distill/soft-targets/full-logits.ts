/** Floor 4: all logits of an answer, each as a float. */
import type { Codec } from "./codec.ts";
import { float32FromHalf, halfFromFloat32 } from "./half.ts";

/** Every logit as it is. */
export const float32Codec = (classes: number): Codec => ({
  bytes: 4 * classes,
  write(view, at, logits, from) {
    for (let j = 0; j < classes; j++) view.setFloat32(at + 4 * j, logits[from + j], true);
  },
  read(view, at, logits, from) {
    for (let j = 0; j < classes; j++) logits[from + j] = view.getFloat32(at + 4 * j, true);
  },
});

/** Every logit as the nearest half: each moves by at most 2⁻¹¹ of itself, or by 2⁻²⁵ where that is more. */
export function float16Codec(classes: number): Codec {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  return {
    bytes: 2 * classes,
    write(view, at, logits, from, refuse) {
      for (let j = 0; j < classes; j++) {
        float[0] = logits[from + j];
        const half = halfFromFloat32(bits[0]);
        if ((half & 0x7c00) === 0x7c00) {
          refuse(j, `within ±65504, where float16 ends, got ${logits[from + j]}`);
        }
        view.setUint16(at + 2 * j, half, true);
      }
    },
    read(view, at, logits, from) {
      for (let j = 0; j < classes; j++) {
        bits[0] = float32FromHalf(view.getUint16(at + 2 * j, true));
        logits[from + j] = float[0];
      }
    },
  };
}
