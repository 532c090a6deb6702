/** Numbers that a copy loses when it computes with them, and how to see that none was lost. */
import { float32 } from "../../src/kernels/float32.ts";
import type { Floats, Kernels } from "../../src/kernels/kernels.ts";

/** NaNs with a payload, a signalling one and a quiet one of either sign; −0; the least and the largest denormal. */
export const oddFloats = (kernels: Kernels): Floats =>
  kernels === float32
    ? new Float32Array(Uint32Array.of(0x7fa12345, 0x7fc54321, 0xffc54321, 1 << 31, 1, 0x807fffff).buffer)
    : new Float64Array(
        BigUint64Array.of(
          0x7ff4000000012345n,
          0x7ff8000000054321n,
          0xfff8000000054321n,
          1n << 63n,
          1n,
          0x800fffffffffffffn,
        ).buffer,
      );

export const bytesOf = ({ buffer, byteOffset, byteLength }: Floats): number[] => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];
