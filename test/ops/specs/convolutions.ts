/** The table of ops: convolutions. */
import fc from "fast-check";
import { ones } from "../../../src/factories.ts";
import * as ops from "../../../src/ops/index.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand } from "../../support/arbitraries.ts";
import { convolved, type Setting, transposeConvolved } from "../convolution-reference.ts";
import { gamma, mixed, mixedMessage, notATensor, type OpSpecs, three, u } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

const image = ones([1, 2, 5, 6]);
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript hands in has no type
const wrong = (value: unknown): any => value;

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const pair = (min: number, max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(between(min, max), between(min, max));
/** A channel count of a group, more often 1 than 2. */
const few = fc.constantFrom(1, 1, 2);

interface Drawn {
  readonly samples: number;
  readonly setting: Setting;
  /** Channels of a group: of x in a convolution, and of its result. */
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  /** How far each side is from the smallest that holds a window. */
  readonly more: readonly [number, number];
  readonly withBias: boolean;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  samples: fc.constantFrom(0, 1, 2, 2),
  setting: fc.record({ stride: pair(1, 3), padding: pair(0, 2), dilation: pair(1, 2), groups: few }),
  inputs: few,
  outputs: few,
  kernel: fc.tuple(between(1, 3), between(1, 2)),
  more: pair(0, 3),
  withBias: fc.boolean(),
});

/** The smallest side of a plane that holds a window, and at least one position. */
const smallest = ({ kernel, setting: { padding, dilation } }: Drawn, axis: number): number =>
  Math.max(dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding[axis], 1);

const withWeights = (
  [x, weight, bias]: readonly [fc.Arbitrary<Operand>, fc.Arbitrary<Operand>, fc.Arbitrary<Operand>],
  withBias: boolean,
): fc.Arbitrary<Operand[]> => (withBias ? fc.tuple(x, weight, bias) : fc.tuple(x, weight));

/** Settings as callers may give them: one number where both are equal, nothing where it is the default. */
function asOptions(
  setting: Partial<Setting> & { readonly outputPadding?: readonly [number, number] },
): object {
  const given = Object.entries(setting).map(([name, value]) => {
    const both = Array.isArray(value) && value[0] === value[1] ? value[0] : value;
    const standard = name === "padding" || name === "outputPadding" ? 0 : 1;
    return [name, both === standard ? undefined : both] as const;
  });
  return Object.fromEntries(given);
}

/**
 * The image of a convolution is what its windows slide over, the map is what they make. With m outputs, t taps, c inputs
 * of a group and P windows of each of N samples, all values ≤ 3 and cotangents ≤ 1:
 *   - a value of the map is c t products and sums, and a bias: γ₂ₖ₊₁ (9k + 3), k = c t;
 *   - a value of the image is at most m t products: each is rounded, added m times in its column and once for each tap;
 *   - a value of the weight sums N P products.
 */
const mapBound = (k: number, factor: number): number => gamma(2 * k + 1) * (3 * factor * k + 3);
const imageBound = (m: number, t: number, factor: number): number =>
  gamma(1 + m + t + 1) * (3 * factor * m * t + 3);
const weightBound = (terms: number): number => gamma(terms + 1) * 3 * terms;

const linear = [
  [0, 2],
  [1, 2],
];

export const convolutions = {
  conv2d: {
    linear,
    rowAxes: 3,
    domain: [
      {
        at: "an infinite weight over padding, which is multiplied by 0",
        operands: [[[[[1, 2]]]], [[[[Number.POSITIVE_INFINITY, 1]]]]],
        call: (x, w) => ops.conv2d(x, w, null, { padding: [0, 1] }),
        value: [[[[Number.NaN, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]]]],
      },
    ],
    golden: pytorch(
      "conv2d",
      ({ attrs: { stride = 1, padding = 0 } }) =>
        (x, weight, bias) =>
          ops.conv2d(x, weight, bias, { stride, padding }),
    ),
    samples: drawn.chain((d) => {
      const { samples, setting, inputs, outputs, kernel, more, withBias } = d;
      const { groups } = setting;
      const x = [samples, groups * inputs, smallest(d, 0) + more[0], smallest(d, 1) + more[1]];
      return withWeights(
        [operand(x), operand([groups * outputs, inputs, ...kernel]), operand([groups * outputs])],
        withBias,
      ).map((operands) => {
        const y = convolved(operands[0], operands[1], operands[2], setting);
        const t = kernel[0] * kernel[1];
        const terms = samples * y.shape[2] * y.shape[3];
        return {
          operands: operands.map(in64),
          call: (a: Tensor, w: Tensor, b?: Tensor) => ops.conv2d(a, w, b, asOptions(setting)),
          shape: y.shape,
          expected: y.values,
          bound: () => mapBound(inputs * t, 3),
          gradientBound: (which, gradient) =>
            [imageBound(outputs, t, 1), weightBound(terms), u * Math.abs(gradient)][which],
        };
      });
    }),
    errors: [
      [() => ops.conv2d(three, three), notATensor("conv2d")],
      [() => ops.conv2d(...mixed), mixedMessage("conv2d")],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, wrong({ pad: 1 })),
        'conv2d: unknown option "pad"; possible are stride, padding, dilation, groups',
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, wrong(1)),
        "conv2d: expected { stride, padding, dilation, groups }, got 1",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), wrong({ padding: 1 })),
        "conv2d: expected a bias third, or null, and options fourth, got an object",
      ],
      [
        () => ops.conv2d(ones([2, 5, 5]), ones([4, 2, 3, 3])),
        "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [2, 5, 5] and weight [4, 2, 3, 3]",
      ],
      [
        () => ops.conv2d(image, ones([4, 3, 3])),
        "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [1, 2, 5, 6] and weight [4, 3, 3]",
      ],
      [
        () => ops.conv2d(image, ones([4, 3, 3, 3])),
        "conv2d: expected x [samples, in, height, width] and weight [out, in, height, width], got x [1, 2, 5, 6] and weight [4, 3, 3, 3]",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, { groups: 2 }),
        "conv2d: expected x [samples, in, height, width] and weight [out, in / 2, height, width], got x [1, 2, 5, 6] and weight [4, 2, 3, 3]",
      ],
      [
        () => ops.conv2d(image, ones([3, 1, 3, 3]), undefined, { groups: 2 }),
        "conv2d: 3 channels out do not fall into 2 equal groups",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), ones([3])),
        "conv2d: expected bias [4] for weight [4, 2, 3, 3], got [3]",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), ones([4, 1])),
        "conv2d: expected bias [4] for weight [4, 2, 3, 3], got [4, 1]",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 6, 6])),
        "conv2d: windows must span 1 to 5 positions of x [1, 2, 5, 6] with its padding, got weight [4, 2, 6, 6], which spans 6",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 1, 4]), undefined, { dilation: 3, padding: [0, 1] }),
        "conv2d: windows must span 1 to 8 positions of x [1, 2, 5, 6] with its padding, got weight [4, 2, 1, 4], which spans 10",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 0, 3])),
        "conv2d: windows must span 1 to 5 positions of x [1, 2, 5, 6] with its padding, got weight [4, 2, 0, 3], which spans 0",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, { stride: 0 }),
        "conv2d: stride must be a whole number of at least 1, got 0",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, { stride: [1, 0.5] }),
        "conv2d: stride must be one whole number of at least 1 or two, [vertical, horizontal], got [1, 0.5]",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, wrong({ padding: [1, 1, 1] })),
        "conv2d: padding must be one whole number of at least 0 or two, [vertical, horizontal], got [1, 1, 1]",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, wrong({ padding: "same" })),
        'conv2d: padding is a number of positions, got "same"; with a stride of 1 it is dilation · (kernel − 1) / 2',
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, { dilation: 1.5 }),
        "conv2d: dilation must be a whole number of at least 1, got 1.5",
      ],
      [
        () => ops.conv2d(image, ones([4, 2, 3, 3]), undefined, { groups: 0 }),
        "conv2d: groups must be a whole number of at least 1, got 0",
      ],
    ],
  },
  convTranspose2d: {
    linear,
    rowAxes: 3,
    samples: drawn
      .chain((d) => {
        const { stride, dilation } = d.setting;
        const below = (axis: number): fc.Arbitrary<number> =>
          between(0, Math.max(stride[axis], dilation[axis]) - 1);
        return fc.tuple(fc.constant(d), fc.tuple(below(0), below(1)));
      })
      .chain(([d, outputPadding]) => {
        const { samples, inputs, outputs, kernel, more, withBias } = d;
        const setting = { ...d.setting, outputPadding };
        const { groups, stride, padding, dilation } = setting;
        // At least as many positions as leave something of y.
        const side = (axis: number): number => {
          const rest = 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - outputPadding[axis];
          return Math.max(Math.ceil(rest / stride[axis]), 0) + 1 + (more[axis] % 2);
        };
        return withWeights(
          [
            operand([samples, groups * inputs, side(0), side(1)]),
            operand([groups * inputs, outputs, ...kernel]),
            operand([groups * outputs]),
          ],
          withBias,
        ).map((operands) => {
          const y = transposeConvolved(operands[0], operands[1], operands[2], setting);
          const t = kernel[0] * kernel[1];
          return {
            operands: operands.map(in64),
            call: (a: Tensor, w: Tensor, b?: Tensor) => ops.convTranspose2d(a, w, b, asOptions(setting)),
            shape: y.shape,
            expected: y.values,
            // y is an image here, and x a map.
            bound: () => imageBound(inputs, t, 3),
            gradientBound: (which, gradient) =>
              [mapBound(outputs * t, 1), weightBound(samples * side(0) * side(1)), u * Math.abs(gradient)][
                which
              ],
          };
        });
      }),
    errors: [
      [() => ops.convTranspose2d(three, three), notATensor("convTranspose2d")],
      [() => ops.convTranspose2d(...mixed), mixedMessage("convTranspose2d")],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3, 3]), undefined, wrong({ output_padding: 1 })),
        'convTranspose2d: unknown option "output_padding"; possible are stride, padding, dilation, groups, outputPadding',
      ],
      [
        () => ops.convTranspose2d(image, ones([4, 2, 3, 3])),
        "convTranspose2d: expected x [samples, in, height, width] and weight [in, out, height, width], got x [1, 2, 5, 6] and weight [4, 2, 3, 3]",
      ],
      [
        () => ops.convTranspose2d(ones([2, 5, 6]), ones([2, 4, 3, 3]), undefined, { groups: 2 }),
        "convTranspose2d: expected x [samples, in, height, width] and weight [in, out / 2, height, width], got x [2, 5, 6] and weight [2, 4, 3, 3]",
      ],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3])),
        "convTranspose2d: expected x [samples, in, height, width] and weight [in, out, height, width], got x [1, 2, 5, 6] and weight [2, 4, 3]",
      ],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3, 0])),
        "convTranspose2d: expected a kernel of at least 1 × 1, got weight [2, 4, 3, 0]",
      ],
      [
        () => ops.convTranspose2d(ones([1, 3, 5, 6]), ones([3, 2, 3, 3]), undefined, { groups: 2 }),
        "convTranspose2d: 3 channels in do not fall into 2 equal groups",
      ],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3, 3]), ones([4]), { groups: 2 }),
        "convTranspose2d: expected bias [8] for weight [2, 4, 3, 3], got [4]",
      ],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3, 3]), undefined, { stride: 2, outputPadding: [1, 2] }),
        "convTranspose2d: outputPadding must be below stride or dilation, got 2 with stride 2 and dilation 1",
      ],
      [
        () => ops.convTranspose2d(ones([1, 2, 1, 6]), ones([2, 4, 2, 2]), undefined, { padding: 1 }),
        "convTranspose2d: padding 1 leaves nothing of what x [1, 2, 1, 6] and weight [2, 4, 2, 2] make",
      ],
      [
        () => ops.convTranspose2d(image, ones([2, 4, 3, 3]), undefined, { outputPadding: -1 }),
        "convTranspose2d: outputPadding must be a whole number of at least 0, got -1",
      ],
    ],
  },
  conv1d: {
    linear,
    rowAxes: 2,
    samples: drawn.chain((d) => {
      const { samples, inputs, outputs, kernel, more, withBias } = d;
      const { groups, stride, padding, dilation } = d.setting;
      const options = { stride: stride[0], padding: padding[0], dilation: dilation[0], groups };
      const setting: Setting = {
        stride: [1, stride[0]],
        padding: [0, padding[0]],
        dilation: [1, dilation[0]],
        groups,
      };
      return withWeights(
        [
          operand([samples, groups * inputs, smallest(d, 0) + more[0]]),
          operand([groups * outputs, inputs, kernel[0]]),
          operand([groups * outputs]),
        ],
        withBias,
      ).map((operands) => {
        const [x, weight] = operands.map(({ shape: [a, b, c], values }) => ({ shape: [a, b, 1, c], values }));
        const y = convolved(x, weight, operands[2], setting);
        const [, channels, , length] = y.shape;
        return {
          operands: operands.map(in64),
          call: (a: Tensor, w: Tensor, b?: Tensor) => ops.conv1d(a, w, b, options),
          shape: [samples, channels, length],
          expected: y.values,
          bound: () => mapBound(inputs * kernel[0], 3),
          gradientBound: (which, gradient) =>
            [imageBound(outputs, kernel[0], 1), weightBound(samples * length), u * Math.abs(gradient)][which],
        };
      });
    }),
    errors: [
      [() => ops.conv1d(three, three), notATensor("conv1d")],
      [() => ops.conv1d(...mixed), mixedMessage("conv1d")],
      [
        () => ops.conv1d(image, ones([4, 2, 3])),
        "conv1d: expected x [samples, in, length] and weight [out, in, length], got x [1, 2, 5, 6] and weight [4, 2, 3]",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 6])),
        "conv1d: windows must span 1 to 5 positions of x [1, 2, 5] with its padding, got weight [4, 2, 6], which spans 6",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 3]), undefined, wrong({ stride: [1, 2] })),
        "conv1d: stride must be a whole number of at least 1, got an array",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 3]), undefined, { padding: -1 }),
        "conv1d: padding must be a whole number of at least 0, got -1",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 3]), undefined, { dilation: 0 }),
        "conv1d: dilation must be a whole number of at least 1, got 0",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 3]), ones([2])),
        "conv1d: expected bias [4] for weight [4, 2, 3], got [2]",
      ],
      [
        () => ops.conv1d(ones([1, 2, 5]), ones([4, 2, 3]), undefined, wrong({ bias: false })),
        'conv1d: unknown option "bias"; possible are stride, padding, dilation, groups',
      ],
    ],
  },
} satisfies OpSpecs;
