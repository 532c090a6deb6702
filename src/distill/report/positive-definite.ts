/** Floor 4: small systems of equations. Knows numbers only. */

/** A pivot below this share of its diagonal is rounding. */
const rounding = 1e-12;
/** Stands for a pivot of 0, so that a quotient stays finite. */
const tiniest = 1e-300;

/**
 * Solves A x = b for a symmetric A with yᵀ A y ≥ 0.
 *
 *     A = L D Lᵀ        L has ones on its diagonal; L w = b, D v = w, Lᵀ x = v
 *
 * A pivot in D that is 0, or so small that rounding made it, is raised: what is solved then has a diagonal that is
 * larger there, and bᵀ x > 0 holds for every b ≠ 0.
 *
 * @param a the rows of A one after the other; only its lower half is read
 * @see Golub & Van Loan, Matrix Computations (2013), §4.1.2; Nocedal & Wright, Numerical Optimization (2006), §3.4
 */
export function solvePositiveDefinite(a: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const lower = a.slice();
  const pivots = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j];
      for (let k = 0; k < j; k++) rest -= lower[i * n + k] * lower[j * n + k] * pivots[k];
      if (j < i) lower[i * n + j] = rest / pivots[j];
      else pivots[i] = Math.max(rest, rounding * a[i * n + i], tiniest);
    }
  }
  const x = b.slice();
  for (let i = 0; i < n; i++) for (let k = 0; k < i; k++) x[i] -= lower[i * n + k] * x[k];
  for (let i = 0; i < n; i++) x[i] /= pivots[i];
  for (let i = n - 1; i >= 0; i--) for (let k = i + 1; k < n; k++) x[i] -= lower[k * n + i] * x[k];
  return x;
}
