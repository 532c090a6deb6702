/** The table of ops: poolings of planes. */
import fc from "fast-check";
import { wellSeparated } from "../../../src/check/fast-check/index.ts";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, operand, valuesOf } from "../../support/arbitraries.ts";
import { pooled, positions } from "../convolution-reference.ts";
import { type Errors, gamma, notATensor, type OpSpecs, three } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const { NaN: none, POSITIVE_INFINITY: infinity } = Number;

const image = ones([1, 2, 5, 6]);
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

type Two = readonly [number, number];
const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(between(min, max), between(min, max));

interface Windows {
  /** `[samples, channels, height, width]` of x. */
  readonly shape: readonly number[];
  readonly size: Two;
  readonly stride: Two;
  readonly padding: Two;
}

const windows: fc.Arbitrary<Windows> = fc
  .record({
    samples: fc.constantFrom(0, 1, 2),
    channels: between(1, 2),
    size: pair(1, 3),
    stride: pair(1, 3),
    half: fc.tuple(fc.boolean(), fc.boolean()),
    more: pair(0, 3),
  })
  .map(({ samples, channels, size, stride, half, more }) => {
    const padding = size.map((one, axis) => (half[axis] ? Math.floor(one / 2) : 0));
    const sides = size.map((one, axis) => Math.max(one - 2 * padding[axis], 1) + more[axis]);
    return { shape: [samples, channels, ...sides], size, stride, padding: [padding[0], padding[1]] };
  });

/** The positions of each window along an axis. */
function windowsOf({ shape, size, stride, padding }: Windows, axis: number): number[][] {
  const length = shape[2 + axis];
  const count = Math.floor((length + 2 * padding[axis] - size[axis]) / stride[axis]) + 1;
  return Array.from({ length: count }, (_, o) => {
    const first = o * stride[axis] - padding[axis];
    return positions(length, first, first + size[axis]);
  });
}

/** Settings as callers may give them: one number where both are equal, nothing where it is the default. */
function asOptions({ size, stride, padding }: Windows): { readonly size: number | Two } {
  const one = ([a, b]: Two): number | Two => (a === b ? a : [a, b]);
  return {
    size: one(size),
    ...((stride[0] !== size[0] || stride[1] !== size[1]) && { stride: one(stride) }),
    ...((padding[0] !== 0 || padding[1] !== 0) && { padding: one(padding) }),
  };
}

/** Rows as the only plane of the only sample. */
const plane = (...rows: readonly number[][]) => [[rows]];

const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const windowErrors = (
  name: string,
  pool: (x: Tensor, options: { readonly size: number }) => unknown,
  options: string,
): Errors => [
  [() => pool(three, { size: 2 }), notATensor(name)],
  [
    () => pool(ones([2, 5, 6]), { size: 2 }),
    `${name}: expected x [samples, channels, height, width] with at least one value in a plane, got [2, 5, 6]`,
  ],
  [
    () => pool(ones([1, 2, 0, 6]), { size: 2 }),
    `${name}: expected x [samples, channels, height, width] with at least one value in a plane, got [1, 2, 0, 6]`,
  ],
  [() => pool(image, wrong(2)), `${name}: expected { ${options} }, got 2`],
  [() => pool(image, wrong(undefined)), `${name}: expected { ${options} }, got undefined`],
  [
    () => pool(image, wrong({ size: 2, kernel: 2 })),
    `${name}: unknown option "kernel"; possible are ${options}`,
  ],
  [() => pool(image, wrong({})), `${name}: size must be a whole number of at least 1, got undefined`],
  [() => pool(image, { size: 0 }), `${name}: size must be a whole number of at least 1, got 0`],
  [
    () => pool(image, wrong({ size: [2, 1.5] })),
    `${name}: size must be one whole number of at least 1 or two, [vertical, horizontal], got [2, 1.5]`,
  ],
  [
    () => pool(image, wrong({ size: 2, stride: 0 })),
    `${name}: stride must be a whole number of at least 1, got 0`,
  ],
  [
    () => pool(image, wrong({ size: 3, padding: -1 })),
    `${name}: padding must be a whole number of at least 0, got -1`,
  ],
  [
    () => pool(image, wrong({ size: [4, 3], padding: 2 })),
    `${name}: padding must be at most half of size 3, got 2`,
  ],
  [
    () => pool(image, { size: 6 }),
    `${name}: windows must span 1 to 5 positions of x [1, 2, 5, 6] with its padding, got size 6, which spans 6`,
  ],
];

export const pools = {
  maxPool2d: {
    domain: [
      {
        at: "a window of nothing but −∞, which has its first",
        operands: [plane([-infinity, -infinity], [-infinity, -infinity])],
        call: (x) => ops.maxPool2d(x, { size: 2 }),
        value: plane([-infinity]),
        gradients: [plane([1, 0], [0, 0])],
      },
    ],
    kinks: [
      {
        at: "a tie, which goes to the first in row-major order",
        operands: [plane([1, 4, 4, 4], [4, 0, 2, 4])],
        call: (x) => ops.maxPool2d(x, { size: 2 }),
        value: plane([4, 4]),
        gradients: [plane([0, 1, 1, 0], [0, 0, 0, 0])],
      },
      {
        at: "NaN, of which the first wins",
        operands: [plane([infinity, none], [none, 5])],
        call: (x) => ops.maxPool2d(x, { size: 2 }),
        value: plane([none]),
        gradients: [plane([0, 1], [0, 0])],
      },
    ],
    golden: pytorch(
      "max_pool2d",
      ({ attrs: { kernel = 0, stride } }) =>
        (x) =>
          ops.maxPool2d(x, { size: kernel, stride }),
    ),
    rowAxes: 3,
    samples: windows.chain((drawn) =>
      wellSeparated({ shape: drawn.shape })
        .map(valuesOf)
        .map((x) => {
          const [rows, cols] = [windowsOf(drawn, 0), windowsOf(drawn, 1)];
          const overlap = drawn.size[0] * drawn.size[1];
          return {
            operands: [in64(x)],
            call: (t: Tensor) => ops.maxPool2d(t, asOptions(drawn)),
            shape: [x.shape[0], x.shape[1], rows.length, cols.length],
            expected: pooled(x, rows, cols, (values) => Math.max(...values)),
            // No rounding forward; backward one for each of the windows that share a maximum, each at most 1.
            bound: () => 0,
            gradientBound: () => gamma(overlap) * overlap,
          };
        }),
    ),
    errors: windowErrors("maxPool2d", ops.maxPool2d, "size, stride, padding"),
  },
  avgPool2d: {
    linear: [[0]],
    golden: pytorch(
      "avg_pool2d",
      ({ attrs: { kernel = 0, stride } }) =>
        (x) =>
          ops.avgPool2d(x, { size: kernel, stride }),
    ),
    rowAxes: 3,
    samples: windows.chain((drawn) =>
      fc.tuple(operand(drawn.shape), fc.constantFrom(undefined, true, false)).map(([x, countPadding]) => {
        const [rows, cols] = [windowsOf(drawn, 0), windowsOf(drawn, 1)];
        const all = drawn.size[0] * drawn.size[1];
        return {
          operands: [in64(x)],
          call: (t: Tensor) => ops.avgPool2d(t, { ...asOptions(drawn), countPadding }),
          shape: [x.shape[0], x.shape[1], rows.length, cols.length],
          expected: pooled(x, rows, cols, (values) =>
            countPadding === false ? mean(values) : values.reduce((sum, v) => sum + v, 0) / all,
          ),
        };
      }),
    ),
    errors: [
      ...windowErrors("avgPool2d", ops.avgPool2d, "size, stride, padding, countPadding"),
      [
        () => ops.avgPool2d(image, wrong({ size: 2, countPadding: 0 })),
        "avgPool2d: countPadding must be true or false, got 0",
      ],
    ],
  },
  adaptiveAvgPool2d: {
    linear: [[0]],
    rowAxes: 3,
    samples: fc
      .tuple(fc.constantFrom(0, 1, 2), between(1, 2), pair(1, 6), pair(1, 5))
      .chain(([samples, channels, sides, size]) =>
        operand([samples, channels, ...sides]).map((x) => {
          const [rows, cols] = sides.map((length, axis) =>
            Array.from({ length: size[axis] }, (_, o) =>
              positions(
                length,
                Math.floor((o * length) / size[axis]),
                Math.ceil(((o + 1) * length) / size[axis]),
              ),
            ),
          );
          return {
            operands: [in64(x)],
            call: (t: Tensor) => ops.adaptiveAvgPool2d(t, size[0] === size[1] ? size[0] : size),
            shape: [samples, channels, ...size],
            expected: pooled(x, rows, cols, mean),
          };
        }),
      ),
    errors: [
      [() => ops.adaptiveAvgPool2d(three, 1), notATensor("adaptiveAvgPool2d")],
      [
        () => ops.adaptiveAvgPool2d(ones([2, 5, 6]), 1),
        "adaptiveAvgPool2d: expected x [samples, channels, height, width] with at least one value in a plane, got [2, 5, 6]",
      ],
      [
        () => ops.adaptiveAvgPool2d(image, [2, 0]),
        "adaptiveAvgPool2d: size must be one whole number of at least 1 or two, [vertical, horizontal], got [2, 0]",
      ],
      [
        () => ops.adaptiveAvgPool2d(image, wrong(undefined)),
        "adaptiveAvgPool2d: size must be a whole number of at least 1, got undefined",
      ],
    ],
  },
  globalAvgPool2d: {
    linear: [[0]],
    rowAxes: 3,
    samples: fc
      .tuple(fc.constantFrom(0, 1, 3), between(1, 2), between(1, 4), between(1, 4))
      .chain((shape) => operand(shape))
      .map((x) => {
        const plane = x.shape[2] * x.shape[3];
        return {
          operands: [in64(x)],
          call: ops.globalAvgPool2d,
          shape: x.shape.slice(0, 2),
          expected: Array.from({ length: x.shape[0] * x.shape[1] }, (_, i) =>
            mean(x.values.slice(i * plane, (i + 1) * plane)),
          ),
        };
      }),
    errors: [
      [() => ops.globalAvgPool2d(three), notATensor("globalAvgPool2d")],
      [
        () => ops.globalAvgPool2d(ones([2, 5])),
        "globalAvgPool2d: expected x [samples, channels, height, width] with at least one value in a plane, got [2, 5]",
      ],
    ],
  },
} satisfies OpSpecs;
