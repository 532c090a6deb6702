/**
 * Floor 0: sums of class c along a row. Lane l of eight counts the terms l, l + 8, l + 16, … of the row, ascending, from
 * 0. Then the upper half of the lanes is added to the lower half, until one is left.
 */
import type { Floats } from "./kernels.ts";

const joined = (lane: (l: number) => number): number =>
  lane(0) + lane(4) + (lane(2) + lane(6)) + (lane(1) + lane(5) + (lane(3) + lane(7)));

/** Σ x[i], start ≤ i < end */
export const sum = (x: Floats, start: number, end: number): number =>
  joined((l) => {
    let lane = 0;
    for (let i = start + l; i < end; i += 8) lane += x[i];
    return lane;
  });

/** Σ x[i] · y[i], start ≤ i < end */
export const dot = (x: Floats, y: Floats, start: number, end: number): number =>
  joined((l) => {
    let lane = 0;
    for (let i = start + l; i < end; i += 8) lane += x[i] * y[i];
    return lane;
  });
