/** Floor 4: the logits of one sample as bytes. Knows rows of numbers, not whose answers they are. */
import type { Floats } from "../../kernels/kernels.ts";

/** Turns the logits of one sample into a fixed number of bytes, and these into logits again. */
export interface Codec {
  /** Of a sample's record. */
  readonly bytes: number;
  /** @param refuse says which logit cannot be kept, and why; it does not return */
  write(view: DataView, at: number, logits: Floats, from: number, refuse: Refusal): void;
  /** @throws `data` where the bytes are no such record */
  read(view: DataView, at: number, logits: Floats, from: number): void;
}

export type Refusal = (column: number, what: string) => never;
