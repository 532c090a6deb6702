/**
 * Floor 0: the float32 product, class a. All three products are one loop with other strides:
 *
 *     C[i,j] += Σₚ A[i·ai + p·ap] · B[p·bp + j·bj]        p ascending, one rounding per · and one per +
 *
 * Sixteen results at a time stay in registers while p runs, so every value that is loaded is used four times. The
 * order of p is that of the textbook loop; tiles only change which results are computed together. So the bits of a
 * result depend neither on the tile it falls into nor on the number of rows.
 */
import type { Floats, Kernels } from "./kernels.ts";

const round = Math.fround;

export const products = {
  matmul: (c, a, b, m, k, n) => product(c, a, k, 1, b, n, 1, m, k, n),
  matmulTransposedB: (c, a, b, m, k, n) => product(c, a, k, 1, b, 1, k, m, k, n),
  matmulTransposedA: (c, a, b, m, k, n) => product(c, a, 1, m, b, n, 1, m, k, n),
} satisfies Partial<Kernels>;

function product(
  c: Floats,
  a: Floats,
  ai: number,
  ap: number,
  b: Floats,
  bp: number,
  bj: number,
  m: number,
  k: number,
  n: number,
): void {
  const rows = m - (m % 4);
  const cols = n - (n % 4);
  for (let i = 0; i < rows; i += 4) {
    for (let j = 0; j < cols; j += 4) tile(c, i * n + j, n, a, i * ai, ai, ap, b, j * bj, bp, bj, k);
  }
  // What is left over: columns beside the tiles four rows at a time, rows below them four columns at a time.
  for (let j = cols; j < n; j++) {
    for (let i = 0; i < rows; i += 4) four(c, i * n + j, n, b, j * bj, bp, a, i * ai, ai, ap, k);
  }
  for (let i = rows; i < m; i++) {
    for (let j = 0; j < cols; j += 4) four(c, i * n + j, 1, a, i * ai, ap, b, j * bj, bj, bp, k);
    for (let j = cols; j < n; j++) single(c, i * n + j, a, i * ai, ap, b, j * bj, bp, k);
  }
}

/** One result. */
function single(
  c: Floats,
  at: number,
  a: Floats,
  pa: number,
  ap: number,
  b: Floats,
  pb: number,
  bp: number,
  k: number,
): void {
  let sum = c[at];
  for (let p = 0; p < k; p++) {
    sum = round(sum + round(a[pa] * b[pb]));
    pa += ap;
    pb += bp;
  }
  c[at] = sum;
}

/** Four results in a row or in a column of C, `step` apart: one line of x with four lines of y, `gap` apart. */
function four(
  c: Floats,
  at: number,
  step: number,
  x: Floats,
  px: number,
  xp: number,
  y: Floats,
  py: number,
  gap: number,
  yp: number,
  k: number,
): void {
  let c0 = c[at];
  let c1 = c[at + step];
  let c2 = c[at + 2 * step];
  let c3 = c[at + 3 * step];
  for (let p = 0; p < k; p++) {
    const xi = x[px];
    c0 = round(c0 + round(xi * y[py]));
    c1 = round(c1 + round(xi * y[py + gap]));
    c2 = round(c2 + round(xi * y[py + 2 * gap]));
    c3 = round(c3 + round(xi * y[py + 3 * gap]));
    px += xp;
    py += yp;
  }
  c[at] = c0;
  c[at + step] = c1;
  c[at + 2 * step] = c2;
  c[at + 3 * step] = c3;
}

/** Four rows by four columns. */
function tile(
  c: Floats,
  row0: number,
  n: number,
  a: Floats,
  pa: number,
  ai: number,
  ap: number,
  b: Floats,
  pb: number,
  bp: number,
  bj: number,
  k: number,
): void {
  const row1 = row0 + n;
  const row2 = row1 + n;
  const row3 = row2 + n;
  let c00 = c[row0];
  let c01 = c[row0 + 1];
  let c02 = c[row0 + 2];
  let c03 = c[row0 + 3];
  let c10 = c[row1];
  let c11 = c[row1 + 1];
  let c12 = c[row1 + 2];
  let c13 = c[row1 + 3];
  let c20 = c[row2];
  let c21 = c[row2 + 1];
  let c22 = c[row2 + 2];
  let c23 = c[row2 + 3];
  let c30 = c[row3];
  let c31 = c[row3 + 1];
  let c32 = c[row3 + 2];
  let c33 = c[row3 + 3];
  for (let p = 0; p < k; p++) {
    const a0 = a[pa];
    const a1 = a[pa + ai];
    const a2 = a[pa + 2 * ai];
    const a3 = a[pa + 3 * ai];
    const b0 = b[pb];
    const b1 = b[pb + bj];
    const b2 = b[pb + 2 * bj];
    const b3 = b[pb + 3 * bj];
    c00 = round(c00 + round(a0 * b0));
    c01 = round(c01 + round(a0 * b1));
    c02 = round(c02 + round(a0 * b2));
    c03 = round(c03 + round(a0 * b3));
    c10 = round(c10 + round(a1 * b0));
    c11 = round(c11 + round(a1 * b1));
    c12 = round(c12 + round(a1 * b2));
    c13 = round(c13 + round(a1 * b3));
    c20 = round(c20 + round(a2 * b0));
    c21 = round(c21 + round(a2 * b1));
    c22 = round(c22 + round(a2 * b2));
    c23 = round(c23 + round(a2 * b3));
    c30 = round(c30 + round(a3 * b0));
    c31 = round(c31 + round(a3 * b1));
    c32 = round(c32 + round(a3 * b2));
    c33 = round(c33 + round(a3 * b3));
    pa += ap;
    pb += bp;
  }
  c[row0] = c00;
  c[row0 + 1] = c01;
  c[row0 + 2] = c02;
  c[row0 + 3] = c03;
  c[row1] = c10;
  c[row1 + 1] = c11;
  c[row1 + 2] = c12;
  c[row1 + 3] = c13;
  c[row2] = c20;
  c[row2 + 1] = c21;
  c[row2 + 2] = c22;
  c[row2 + 3] = c23;
  c[row3] = c30;
  c[row3 + 1] = c31;
  c[row3 + 2] = c32;
  c[row3 + 3] = c33;
}
