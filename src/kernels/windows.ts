/**
 * Floor 0: windows that slide along the axes of planes, and where their taps lie. Knows positions; refuses to know what
 * is there.
 */

/** `count` windows along an axis: tap t of window o lies at position o · stride + t · dilation − padding. */
export interface Windows {
  readonly taps: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly length: number;
  readonly count: number;
}

/** Whether each window is one position, in their order: without padding, no others are as many as the positions. */
export const isIdentity = ({ padding, length, count }: Windows): boolean => padding === 0 && length === count;

/** Where tap t first lies within the axis and not in its padding: the window, the position, and for how many windows. */
export function tapAlong(
  { stride, padding, dilation, length, count }: Windows,
  t: number,
): readonly [window: number, position: number, windows: number] {
  const offset = t * dilation - padding;
  const first = Math.max(Math.ceil(-offset / stride), 0);
  const end = Math.min(Math.ceil((length - offset) / stride), count);
  return [first, first * stride + offset, end - first];
}
