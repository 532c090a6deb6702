/** Floor 6: how every report ends: what it comes to, what should be known besides, and whose the data is. */
import type { Paint } from "./paint.ts";
import { wrap } from "./wrap.ts";

export interface Closing {
  /** The main sentence first. */
  readonly verdict: readonly string[];
  readonly notes: readonly string[];
  /** What the data's licence asks to be said. */
  readonly attribution: string | undefined;
}

export function closingLines(
  { verdict, notes, attribution }: Closing,
  width: number,
  paint: Paint,
): string[] {
  return [
    ...verdict.flatMap((sentence, i) => {
      const wrapped = wrap(sentence, width);
      return i === 0 ? wrapped.map((line) => paint("bold", line)) : wrapped;
    }),
    ...notes.flatMap((note) => wrap(`Note: ${note}`, width)),
    ...(attribution ? ["", ...wrap(attribution, width).map((line) => paint("dim", line))] : []),
  ];
}
