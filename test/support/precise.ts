/**
 * Elementary functions in whole numbers, as an oracle for the floating-point ones: fixed point with at least
 * 256 bits behind the point, Taylor series and exact reductions, nothing shared with the library. A result is
 * good to at least 200 significant bits.
 */

/** The number mantissa·2^exponent. */
export interface Precise {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const BITS = 256;

/** A finite float, exactly. */
export function preciseFrom(x: number): Precise {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const word = view.getBigUint64(0);
  const field = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: word >> 63n ? -mantissa : mantissa, exponent: Math.max(field, 1) - 1075 };
}

/**
 * How far the float `got` is from `exact`, in units in the last place of the binary format around `exact`.
 * Infinity is taken for the power of two behind the largest float, and so is every exact number beyond it.
 */
export function ulpError(got: number, exact: Precise, format: "float64" | "float32" = "float64"): number {
  if (Number.isNaN(got)) return Infinity;
  const [digits, smallest, largest] = format === "float64" ? [53, -1074, 1023] : [24, -149, 127];
  const top = exact.mantissa === 0n ? smallest : bitLength(exact.mantissa) + exact.exponent;
  const overflow = (sign: boolean): Precise => ({ mantissa: sign ? -1n : 1n, exponent: largest + 1 });
  const want = top > largest + 1 ? overflow(exact.mantissa < 0n) : exact;
  const have = Math.abs(got) === Infinity ? overflow(got < 0) : preciseFrom(got);
  const unit = Math.min(Math.max(top - digits, smallest), largest + 1 - digits);
  // 60 bits behind the point are more than a float shows.
  const scaled = (v: Precise): bigint => shifted(v.mantissa, v.exponent - unit + 60);
  return Math.abs(Number(scaled(have) - scaled(want))) / 2 ** 60;
}

/** The float64 next to an exact number, for values well inside the normal range. */
export function nearestFloat({ mantissa, exponent }: Precise): number {
  const excess = Math.max(bitLength(mantissa) - 900, 0);
  const kept = exponent + excess;
  const half = Math.trunc(kept / 2);
  return Number(mantissa >> BigInt(excess)) * 2 ** half * 2 ** (kept - half);
}

/** The first `bits` bits of an exact number, cut off, and the float64 next to the rest. */
export function parted(exact: Precise, bits: number): readonly [high: number, low: number] {
  const { mantissa, exponent } = exact;
  const excess = Math.max(bitLength(mantissa) - bits, 0);
  const high = { mantissa: mantissa >> BigInt(excess), exponent: exponent + excess };
  const low = { mantissa: mantissa - (high.mantissa << BigInt(excess)), exponent };
  return [nearestFloat(high), nearestFloat(low)];
}

export function exp(x: number): Precise {
  return expOf(fixed(x, BITS));
}

export function expm1(x: number): Precise {
  const bits = BITS + Math.max(0, -exponentOf(x));
  const one = 1n << BigInt(bits);
  if (Math.abs(x) < 0.5) return { mantissa: expSeries(fixed(x, bits), bits) - one, exponent: -bits };
  const { mantissa, exponent } = exp(x);
  return { mantissa: shifted(mantissa, exponent + BITS) - (1n << BigInt(BITS)), exponent: -BITS };
}

export function log(x: number): Precise {
  const { mantissa, exponent } = preciseFrom(x);
  return logOf(mantissa, exponent, BITS);
}

export function log1p(x: number): Precise {
  const bits = BITS + Math.max(0, -exponentOf(x));
  return logOf(fixed(x, bits) + (1n << BigInt(bits)), -bits, bits);
}

export function tanh(x: number): Precise {
  const { mantissa, exponent } = expm1(2 * x);
  const common = Math.min(exponent, 0);
  const t = shifted(mantissa, exponent - common);
  return quotient(t, t + shifted(2n, -common), BITS + Math.max(0, -exponentOf(x)));
}

export function sigmoid(x: number): Precise {
  return sigmoidOf(fixed(x, BITS), x);
}

/** The logistic function where GELU's approximation by tanh takes it, at 2 √(2/π) (x + 0.044715 x³). */
export function geluGate(x: number): Precise {
  const f = BigInt(BITS);
  const v = fixed(x, BITS);
  const cubic = v + (44715n * ((v * v * v) >> (2n * f))) / 1000000n;
  const twiceU = (cubic * squareRoot((8n << (3n * f)) / pi(BITS))) >> f;
  return sigmoidOf(twiceU, 1.6 * (x + 0.044715 * x ** 3));
}

/** 1/(1 + e^−v), v having 256 bits behind the point and lying near x. */
function sigmoidOf(v: bigint, x: number): Precise {
  const bits = BITS + Math.max(0, Math.ceil(-2 * x));
  const { mantissa, exponent } = expOf(v);
  const e = shifted(mantissa, exponent + bits);
  return quotient(e, e + (1n << BigInt(bits)), bits);
}

export function erf(x: number): Precise {
  const bits = BITS + Math.max(0, -exponentOf(x)) + Math.ceil(2 * x * x);
  return { mantissa: erfSeries(fixed(x, bits), bits), exponent: -bits };
}

/** 1 − erf x: far out, where the difference would lose hundreds of bits, by a continued fraction. */
export function erfc(x: number): Precise {
  return x < 6 ? erfcByDifference(x) : erfcByFraction(x);
}

/** The difference is about e^(−x²) and loses as many bits. */
export function erfcByDifference(x: number, at = (bits: number) => fixed(x, bits)): Precise {
  const bits = BITS + Math.ceil(3 * x * x);
  return { mantissa: (1n << BigInt(bits)) - erfSeries(at(bits), bits), exponent: -bits };
}

/**
 * Laplace's fraction erfc x = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))), 200 levels deep: good to e^(−40x).
 */
export function erfcByFraction(x: number, at = (bits: number) => fixed(x, bits)): Precise {
  const f = BigInt(BITS);
  const v = at(BITS);
  let below = v;
  for (let n = 200n; n > 0n; n--) below = v + (n << (2n * f - 1n)) / below;
  const { mantissa, exponent } = expOf(-((v * v) >> f));
  return { mantissa: (mantissa << (2n * f)) / (squareRoot(pi(BITS) << f) * below), exponent };
}

/** The slope of erf: 2/√π e^(−x²). */
export function erfSlope(x: number): Precise {
  const square = product(preciseFrom(x), preciseFrom(x));
  const { mantissa, exponent } = expOf(shifted(-square.mantissa, square.exponent + BITS));
  const f = BigInt(BITS);
  return { mantissa: (mantissa << (f + 1n)) / squareRoot(pi(BITS) << f), exponent };
}

/** How likely a standard normal number is to lie below x: ½ erfc(−x/√2). */
export function normalDistribution(x: number): Precise {
  const about = -x * Math.SQRT1_2;
  const at = (bits: number): bigint =>
    -(fixed(x, bits) * squareRoot(1n << BigInt(2 * bits - 1))) >> BigInt(bits);
  const { mantissa, exponent } = about < 6 ? erfcByDifference(about, at) : erfcByFraction(about, at);
  return { mantissa, exponent: exponent - 1 };
}

/** The density of a standard normal number at x: e^(−x²/2)/√(2π). */
export function normalDensity(x: number): Precise {
  const square = product(preciseFrom(x), preciseFrom(x));
  const { mantissa, exponent } = expOf(shifted(-square.mantissa, square.exponent + BITS - 1));
  const f = BigInt(BITS);
  return { mantissa: (mantissa << f) / squareRoot((2n * pi(BITS)) << f), exponent };
}

/** log(1 + e^x) for |x| < 200. */
export function softplus(x: number): Precise {
  const bits = 2 * BITS + 64;
  const { mantissa, exponent } = exp(x);
  return logOf(shifted(mantissa, exponent + bits) + (1n << BigInt(bits)), -bits, bits);
}

/** x^p = e^(p log x) for x > 0; a logarithm close to 0 is known to as many bits as one close to 1. */
export function power(x: number, p: number): Precise {
  const { mantissa, exponent } = product(preciseFrom(p), log(x));
  return expOf(shifted(mantissa, exponent + BITS));
}

export const sin = (x: number): Precise => sineAfter(x, 0n);
export const cos = (x: number): Precise => sineAfter(x, 1n);

/** base^n, cut to 400 bits after every product: exact enough for |n| up to 2⁶⁰. */
export function integerPower(base: number, n: number): Precise {
  let square = preciseFrom(base);
  let power: Precise = { mantissa: 1n, exponent: 0 };
  for (let bits = BigInt(Math.abs(n)); bits > 0n; bits >>= 1n) {
    if (bits & 1n) power = product(power, square);
    square = product(square, square);
  }
  if (n >= 0) return power;
  const bits = BigInt(bitLength(power.mantissa) + 300);
  return { mantissa: (1n << bits) / power.mantissa, exponent: -Number(bits) - power.exponent };
}

/** 1/x to 256 bits. */
export function reciprocal({ mantissa, exponent }: Precise): Precise {
  const bits = bitLength(mantissa) + BITS;
  return { mantissa: (1n << BigInt(bits)) / mantissa, exponent: -bits - exponent };
}

/** Exactly. */
export function sum(a: Precise, b: Precise): Precise {
  const exponent = Math.min(a.exponent, b.exponent);
  const [m, n] = [a, b].map((one) => shifted(one.mantissa, one.exponent - exponent));
  return { mantissa: m! + n!, exponent };
}

/** π by Machin's formula, 16 arctan 1/5 − 4 arctan 1/239. */
export function pi(bits: number): bigint {
  return cached("pi", bits, (f) => {
    const arctan = (q: bigint): bigint => {
      let term = (1n << f) / q;
      let sum = term;
      for (let n = 3n; term !== 0n; n += 2n) {
        term /= -(q * q);
        sum += term / n;
      }
      return sum;
    };
    return 16n * arctan(5n) - 4n * arctan(239n);
  });
}

/** ln 2 = 2 artanh 1/3. */
export function ln2(bits: number): bigint {
  return cached("ln2", bits, (f) => 2n * artanhSeries((1n << f) / 3n, f));
}

const cache = new Map<string, bigint>();

/** A constant with 32 guard bits, computed once for every precision. */
function cached(name: string, bits: number, compute: (bits: bigint) => bigint): bigint {
  const key = `${name} ${bits}`;
  const known = cache.get(key) ?? compute(BigInt(bits) + 32n) >> 32n;
  cache.set(key, known);
  return known;
}

/** x·2^bits, rounded down. */
function fixed(x: number, bits: number): bigint {
  const { mantissa, exponent } = preciseFrom(x);
  return shifted(mantissa, exponent + bits);
}

/** e^(v·2^−256), at most e^(2³⁰). */
function expOf(v: bigint): Precise {
  const one = ln2(BITS);
  const k = floorDivide(2n * v + one, 2n * one);
  return { mantissa: expSeries(v - k * one, BITS), exponent: Number(k) - BITS };
}

/** e^r by Taylor's series at r/256, squared eight times. */
function expSeries(r: bigint, bits: number): bigint {
  const guard = 32n;
  const f = BigInt(bits) + guard;
  const v = (r << guard) >> 8n;
  let term = v;
  let sum = v;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    term = ((term * v) >> f) / n;
    sum += term;
  }
  // (1 + s)² − 1 = s (2 + s): a small s keeps its digits.
  for (let i = 0; i < 8; i++) sum = (sum * ((2n << f) + sum)) >> f;
  return ((1n << f) + sum) >> guard;
}

/**
 * erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1)/(1·3·5 ⋯ (2n+1)): every term has the sign of x. The sum grows like
 * e^(x²), for which `bits` has room.
 */
function erfSeries(v: bigint, bits: number): bigint {
  const f = BigInt(bits);
  const square = (v * v) >> f;
  let term = v;
  let sum = v;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = ((2n * term * square) >> f) / (2n * n + 1n);
    sum += term;
  }
  const halvings = BigInt(Math.max(0, bitLength(square) - bits));
  let damped = expSeries(-(square >> halvings), bits);
  for (let i = 0n; i < halvings; i++) damped = (damped * damped) >> f;
  const rootPi = squareRoot(pi(bits) << f);
  return (2n * sum * damped) / rootPi;
}

/** log(mantissa·2^exponent) = k ln 2 + 2 artanh((m − 1)/(m + 1)), m in [½√2, √2). */
function logOf(mantissa: bigint, exponent: number, bits: number): Precise {
  const f = BigInt(bits);
  const length = bitLength(mantissa);
  const power = mantissa * mantissa > 1n << BigInt(2 * length - 1) ? length : length - 1;
  const m = mantissa;
  const one = 1n << BigInt(power);
  const s = ((m - one) << f) / (m + one);
  return { mantissa: BigInt(power + exponent) * ln2(bits) + 2n * artanhSeries(s, f), exponent: -bits };
}

function artanhSeries(s: bigint, f: bigint): bigint {
  const square = (s * s) >> f;
  let term = s;
  let sum = s;
  for (let n = 3n; term !== 0n && term !== -1n; n += 2n) {
    term = (term * square) >> f;
    sum += term / n;
  }
  return sum;
}

/** sin(x + turns·π/2), reduced with as many bits of π as x has before the point. */
function sineAfter(x: number, turns: bigint): Precise {
  const bits = BITS + Math.max(0, -exponentOf(x));
  const extra = Math.max(0, exponentOf(x)) + 64;
  const v = fixed(x, bits + extra);
  const halfPi = pi(bits + extra) / 2n;
  const n = floorDivide(2n * v + halfPi, 2n * halfPi);
  const r = (v - n * halfPi) >> BigInt(extra);
  const turn = (n + turns) & 3n;
  const y = sineSeries(r, bits, turn & 1n);
  return { mantissa: turn & 2n ? -y : y, exponent: -bits };
}

/** Taylor's series, Σ ± rⁿ/n! over odd n (sine) or over even n (cosine). */
function sineSeries(r: bigint, bits: number, cosine: bigint): bigint {
  const f = BigInt(bits);
  const square = (r * r) >> f;
  let term = cosine ? 1n << f : r;
  let sum = term;
  for (let n = cosine ? 2n : 3n; term !== 0n; n += 2n) {
    term = -(term * square) / ((n * (n - 1n)) << f);
    sum += term;
  }
  return sum;
}

/** Cut to 400 bits. */
export function product(a: Precise, b: Precise): Precise {
  const mantissa = a.mantissa * b.mantissa;
  const excess = Math.max(0, bitLength(mantissa) - 400);
  return { mantissa: mantissa >> BigInt(excess), exponent: a.exponent + b.exponent + excess };
}

function quotient(a: bigint, b: bigint, bits: number): Precise {
  return { mantissa: (a << BigInt(bits)) / b, exponent: -bits };
}

function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n ? a / b : -((-a + b - 1n) / b);
}

/** n·2^by, rounded down. */
function shifted(n: bigint, by: number): bigint {
  return by >= 0 ? n << BigInt(by) : n >> BigInt(-by);
}

function bitLength(n: bigint): number {
  return (n < 0n ? -n : n).toString(16).length * 4 - leadingZeros(n);
}

/** Unused bits of the first hexadecimal digit. */
function leadingZeros(n: bigint): number {
  const digit = Number.parseInt((n < 0n ? -n : n).toString(16)[0]!, 16);
  return Math.clz32(digit) - 28;
}

/** ⌊log₂|x|⌋, −1074 for 0. */
function exponentOf(x: number): number {
  const { mantissa, exponent } = preciseFrom(x);
  return mantissa === 0n ? -1074 : bitLength(mantissa) - 1 + exponent;
}
