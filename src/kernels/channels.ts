/** Floor 0: kernels for what all positions of a channel share. Buffers are [samples, channels, positions]. */
import type { Floats, Kernels } from "./kernels.ts";
import { convolutional } from "./wasm/convolutional.ts";

/** b: y[:, c, :] = b[c] */
export function fillChannels(y: Floats, b: Floats, positions: number): void {
  for (let i = 0, c = 0; i < y.length; i += positions, c = (c + 1) % b.length) y.fill(b[c], i, i + positions);
}

/** c: db[c] += Σ dy[:, c, :], samples and then positions ascending */
export function sumChannels(kernels: Kernels, db: Floats, dy: Floats, positions: number): void {
  const channels = db.length;
  const done = kernels.simd?.run(convolutional, [db], [db, dy], (programs, db, at) =>
    programs.sumChannels(db, at, dy.length / (channels * positions || 1), channels, 4 * positions),
  );
  if (done) return;
  const sums = new Float64Array(channels);
  for (let i = 0, c = 0; i < dy.length; c = (c + 1) % channels) {
    let sum = sums[c];
    for (const end = i + positions; i < end; i++) sum += dy[i];
    sums[c] = sum;
  }
  for (let c = 0; c < channels; c++) db[c] += sums[c];
}
