/** Floor 4: vectors by direction and length, and how far two directions are apart. */
import type { Floats, Kernels } from "../../kernels/kernels.ts";

/**
 * What is shorter counts as 0: it has no direction, and its gradient is chosen 0. Above it no gradient of a direction,
 * which is of the size 1/length, exceeds what float32 can hold.
 */
export const shortestLength = 1e-12;

/** Vectors of one width, one behind the other. */
export interface Directions {
  /** x / |x|, or 0 for a vector without direction. */
  readonly units: Float64Array;
  /** |x|, or 0 likewise. */
  readonly lengths: Float64Array;
}

/** Sums run in float64, where squares of float32 values cannot overflow; in the float64 set they do from 1e154 on. */
export function directionsOf(k: Kernels, x: Floats, count: number, shortest = shortestLength): Directions {
  const width = x.length / count;
  const [units, lengths] = [k.wideRoom(x.length), k.wideRoom(count)];
  for (let v = 0; v < count; v++) {
    const [start, end] = [v * width, (v + 1) * width];
    let squares = 0;
    for (let i = start; i < end; i++) squares += x[i] * x[i];
    const length = Math.sqrt(squares);
    lengths[v] = length < shortest ? 0 : length;
    for (let i = start; i < end; i++) units[i] = lengths[v] === 0 ? 0 : x[i] / length;
  }
  return { units, lengths };
}

/**
 * ½ |â − b̂|² of pair v. For two directions that is 1 − cos of their angle, without the cancellation that 1 − cos has
 * where they are close: for equal vectors it is exactly 0.
 */
export function halfSquaredChord(a: Directions, b: Directions, v: number): number {
  const width = a.units.length / a.lengths.length;
  let squares = 0;
  for (let i = v * width; i < (v + 1) * width; i++) {
    const chord = a.units[i] - b.units[i];
    squares += chord * chord;
  }
  return squares / 2;
}

/** 1 − cos of pair v, where the cosine with a vector that has no direction is 0. */
export function cosineDistance(a: Directions, b: Directions, v: number): number {
  const missing = Number(a.lengths[v] === 0) + Number(b.lengths[v] === 0);
  return halfSquaredChord(a, b, v) + missing / 2;
}

/** da += d(½ |â − b̂|²)/da · share, for every pair; 0 where a direction is missing. */
export function addChordGradient(da: Floats, a: Directions, b: Directions, share: number): void {
  const width = a.units.length / a.lengths.length;
  for (let v = 0; v < a.lengths.length; v++) {
    if (a.lengths[v] === 0 || b.lengths[v] === 0) continue;
    const [start, end] = [v * width, (v + 1) * width];
    let along = 0;
    for (let i = start; i < end; i++) along += (a.units[i] - b.units[i]) * a.units[i];
    for (let i = start; i < end; i++) {
      da[i] += ((a.units[i] - b.units[i] - along * a.units[i]) / a.lengths[v]) * share;
    }
  }
}

/** dx += (g − ⟨g, x̂⟩ x̂) / |x|: what a gradient g of the directions says of the vectors. */
export function addThroughDirections(dx: Floats, g: Float64Array, { units, lengths }: Directions): void {
  const width = units.length / lengths.length;
  for (let v = 0; v < lengths.length; v++) {
    if (lengths[v] === 0) continue;
    const [start, end] = [v * width, (v + 1) * width];
    let along = 0;
    for (let i = start; i < end; i++) along += g[i] * units[i];
    for (let i = start; i < end; i++) dx[i] += (g[i] - along * units[i]) / lengths[v];
  }
}
