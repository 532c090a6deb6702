/**
 * Floor 0: elementary functions in float64. Knows + − × ÷, rounding to whole numbers and powers of two;
 * refuses to know Math.exp and its kin, whose last bit differs between JavaScript engines.
 *
 * The order of operations is part of the contract: it decides the last bit. Every function reduces its
 * argument to a short interval, evaluates a polynomial or rational approximation there (highest coefficient
 * first, one line for each) and reconstructs. The decimals of published coefficients read back to the
 * published bits. Error bounds are in units in the last place (ULP), the gap between neighbouring floats at
 * the true value; `test/math.test.ts` holds them against exact arithmetic. There, exp, log, log1p, tanh, sin
 * and cos are also found monotone from float to float, while expm1, sigmoid, erf and erfc may step back by one ULP.
 */

export { erf, erfc } from "./error-function.ts";
export { exp, expm1, log, log1p, sigmoid, tanh } from "./exponential.ts";
export { integerPower } from "./integer-power.ts";
export { power } from "./power.ts";
export { cos, sin } from "./trigonometry.ts";
