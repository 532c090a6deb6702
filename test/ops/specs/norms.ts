/** The table of ops: values brought to mean 0 and variance 1. */
import fc from "fast-check";
import type { OpCase } from "../../../src/check/fast-check/index.ts";
import { ones } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import * as ops from "../../../src/ops/index.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { in64, type Operand, operand, operandIn, shape } from "../../support/arbitraries.ts";
import { byRow } from "../reference.ts";
import { mixedMessage, notATensor, type OpSpecs, three } from "../spec.ts";
import { pytorch } from "./pytorch.ts";

/** The default, and some that a misplaced ε would show: beside the root, or squared. */
const epsilons = fc.constantFrom(undefined, 0.5, 3);

/** Up to two axes with something in them. */
const filled = (minRank: number): fc.Arbitrary<number[]> => shape({ minRank, maxRank: 2, minSize: 1 });

/**
 * Values of which neighbours are at least 1 apart, so that the variance of two or more is at least 1/4: where it is of the
 * order of ε, the derivative changes too fast for differences.
 */
const spread = (ofShape: Shape, position: (i: number) => number): fc.Arbitrary<Operand> =>
  operand(ofShape).map(({ values }) => ({
    shape: ofShape,
    values: values.map((v, i) => Math.fround(v + 7 * ((position(i) % 3) - 1))),
  }));

/** A weight and a bias, or one of them, or none. */
const affine = (ofShape: Shape): fc.Arbitrary<{ weight: Operand | null; bias: Operand | null }> =>
  fc.record({
    weight: fc.option(operand(ofShape), { nil: null }),
    bias: fc.option(operand(ofShape), { nil: null }),
  });

type Affine = { readonly weight: Operand | null; readonly bias: Operand | null };

const operandsOf = (x: Operand, { weight, bias }: Affine): Operand[] => [
  x,
  ...(weight ? [weight] : []),
  ...(bias ? [bias] : []),
];

/** Linear in weight and bias together, but not in a bias alone. */
const linearIn = ({ weight, bias }: Affine): Pick<OpCase, "linear"> =>
  weight === null && bias !== null ? { linear: [] } : {};

/** What the call's further operands are. */
const namedOperands = ({ weight, bias }: Affine, given: readonly Tensor[]) => ({
  weight: weight ? given[0] : null,
  bias: bias ? given[weight ? 1 : 0] : null,
});

/** Every value less the mean of its group, divided by its deviation; then the entry of w times it, plus that of b. */
function normalized(
  x: Operand,
  groupOf: (i: number) => number,
  entryOf: (i: number) => number,
  { weight, bias }: Affine,
  epsilon = 1e-5,
): number[] {
  return x.values.map((value, i) => {
    const group = x.values.filter((_, other) => groupOf(other) === groupOf(i));
    const mean = group.reduce((sum, v) => sum + v, 0) / group.length;
    const variance = group.reduce((sum, v) => sum + (v - mean) ** 2, 0) / group.length;
    const entry = entryOf(i);
    return (
      ((value - mean) / Math.sqrt(variance + epsilon)) * (weight?.values[entry] ?? 1) +
      (bias?.values[entry] ?? 0)
    );
  });
}

const layerNorms = fc.tuple(shape({ maxRank: 2 }), filled(1), epsilons).chain(([lead, drawn, epsilon]) =>
  affine(drawn).chain((entries) => {
    const row = entries.weight || entries.bias ? drawn : drawn.slice(-1);
    const whole = entries.weight || entries.bias ? [...lead, ...row] : [...lead, ...drawn];
    const n = sizeOf(row);
    return spread(whole, (i) => i % n).map((x) => ({
      operands: operandsOf(x, entries).map(in64),
      call: (t: Tensor, ...given: Tensor[]) =>
        ops.layerNorm(t, { ...namedOperands(entries, given), epsilon }),
      shape: whole,
      rowAxes: row.length,
      ...linearIn(entries),
      expected: normalized(
        x,
        (i) => Math.floor(i / n),
        (i) => i % n,
        entries,
        epsilon,
      ),
    }));
  }),
);

const rmsNorms = fc
  .tuple(shape({ maxRank: 2 }), fc.integer({ min: 1, max: 5 }), epsilons, fc.boolean())
  .chain(([lead, n, epsilon, weighted]) =>
    fc
      .tuple(
        // One value alone: no further from 0 than 1/2, as two are from each other.
        spread([...lead, n], (i) => i % n).map(({ values, ...rest }) => ({
          ...rest,
          values: values.map((v) => (n > 1 || Math.abs(v) > 0.5 ? v : 1)),
        })),
        operand([n]),
      )
      .map(([x, w]) => ({
        operands: (weighted ? [x, w] : [x]).map(in64),
        call: (t: Tensor, weight?: Tensor) => ops.rmsNorm(t, { weight, epsilon }),
        shape: x.shape,
        expected: byRow(x, (row) => {
          const square = row.reduce((sum, v) => sum + v * v, 0) / n;
          return row.map(
            (v, j) => (v / Math.sqrt(square + (epsilon ?? 1e-6))) * (weighted ? w.values[j] : 1),
          );
        }),
      })),
  );

const groupNorms = fc
  .tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 2 }),
    filled(0),
    epsilons,
  )
  .chain(([samples, groups, width, positions, epsilon]) => {
    const channels = groups * width;
    const length = sizeOf(positions);
    const n = width * length;
    return fc
      .tuple(
        spread([samples, channels, ...positions], (i) => i % n),
        affine([channels]),
      )
      .map(([x, entries]) => ({
        operands: operandsOf(x, entries).map(in64),
        call: (t: Tensor, ...given: Tensor[]) =>
          ops.groupNorm(t, groups, { ...namedOperands(entries, given), epsilon }),
        shape: x.shape,
        rowAxes: x.shape.length - 1,
        ...linearIn(entries),
        expected: normalized(
          x,
          (i) => Math.floor(i / n),
          (i) => Math.floor(i / length) % channels,
          entries,
          epsilon,
        ),
      }));
  });

/** By the statistics of the batch. */
const batchNorms = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), filled(0), epsilons)
  .filter(([samples, , positions]) => samples * sizeOf(positions) > 1)
  .chain(([samples, channels, positions, epsilon]) => {
    const length = sizeOf(positions);
    const channelOf = (i: number): number => Math.floor(i / length) % channels;
    const positionOf = (i: number): number => Math.floor(i / (channels * length)) * length + (i % length);
    return fc
      .tuple(spread([samples, channels, ...positions], positionOf), affine([channels]))
      .map(([x, entries]) => ({
        operands: operandsOf(x, entries).map(in64),
        call: (t: Tensor, ...given: Tensor[]) =>
          ops.batchNorm(t, { ...namedOperands(entries, given), epsilon }),
        shape: x.shape,
        rowAxes: null,
        ...linearIn(entries),
        expected: normalized(x, channelOf, channelOf, entries, epsilon),
      }));
  });

/** By given statistics. */
const givenNorms = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), shape({ maxRank: 2 }), epsilons)
  .chain(([samples, channels, positions, epsilon]) =>
    fc
      .tuple(
        operand([samples, channels, ...positions]),
        affine([channels]),
        operand([channels]),
        operand([channels], { min: 0.25, max: 4 }),
      )
      .map(([x, entries, mean, variance]) => ({
        operands: operandsOf(x, entries).map(in64),
        call: (t: Tensor, ...given: Tensor[]) =>
          ops.batchNorm(t, {
            ...namedOperands(entries, given),
            epsilon,
            mean: operandIn(t.kernels, mean),
            variance: operandIn(t.kernels, variance),
          }),
        shape: x.shape,
        rowAxes: x.shape.length - 1,
        ...linearIn(entries),
        expected: x.values.map((v, i) => {
          const c = Math.floor(i / sizeOf(positions)) % channels;
          const deviation = Math.sqrt(variance.values[c] + (epsilon ?? 1e-5));
          const scaled = ((v - mean.values[c]) / deviation) * (entries.weight?.values[c] ?? 1);
          return scaled + (entries.bias?.values[c] ?? 0);
        }),
      })),
  );

const x = ones([2, 4, 3]);
const wide = { kernels: float64 };
const grows = ones([4], { requiresGrad: true });

export const norms = {
  layerNorm: {
    rowAxes: 1,
    linear: [[1, 2]],
    domain: [
      {
        at: "a row of equal values, which gives exactly the bias",
        operands: [
          [7, 7, 7],
          [2, 3, 4],
          [1, -1, 0.5],
        ],
        call: (t, weight, bias) => ops.layerNorm(t, { weight, bias }),
        value: [1, -1, 0.5],
        gradients: [null, [0, 0, 0], [1, 1, 1]],
      },
      {
        at: "a row with NaN beside one without",
        operands: [
          [
            [Number.NaN, 1],
            [-1, 1],
          ],
        ],
        call: (t) => ops.layerNorm(t, { epsilon: 3 }),
        value: [
          [Number.NaN, Number.NaN],
          [-0.5, 0.5],
        ],
      },
    ],
    golden: pytorch(
      "layer_norm",
      ({ attrs: { eps: epsilon = 1e-5 } }) =>
        (t, weight, bias) =>
          ops.layerNorm(t, { weight, bias, epsilon }),
    ),
    samples: layerNorms,
    errors: [
      [() => ops.layerNorm(three), notATensor("layerNorm")],
      [
        () => ops.layerNorm(x, { weight: three }),
        "layerNorm: operand 1 must be a tensor, got 3; wrap it in tensor(…)",
      ],
      [
        () => ops.layerNorm(x, { weight: ones([3]), bias: three }),
        "layerNorm: operand 2 must be a tensor, got 3; wrap it in tensor(…)",
      ],
      [
        () => ops.layerNorm(x, { weight: false } as never),
        "layerNorm: operand 1 must be a tensor, got false; wrap it in tensor(…)",
      ],
      [() => ops.layerNorm(x, { bias: ones([3], wide) }), mixedMessage("layerNorm")],
      [() => ops.layerNorm(x, { weight: ones([3]), bias: ones([3], wide) }), mixedMessage("layerNorm")],
      [
        () => ops.layerNorm(x, { weight: ones([4]) }),
        "layerNorm: expected weight and bias of the shape of the last axes of x, got x [2, 4, 3], weight [4]",
      ],
      [
        () => ops.layerNorm(x, { weight: ones([4, 3]), bias: ones([3]) }),
        "layerNorm: expected weight and bias of the shape of the last axes of x, got x [2, 4, 3], weight [4, 3], bias [3]",
      ],
      [
        () => ops.layerNorm(x, { bias: ones([1, 2, 4, 3]) }),
        "layerNorm: expected weight and bias of the shape of the last axes of x, got x [2, 4, 3], bias [1, 2, 4, 3]",
      ],
      [
        () => ops.layerNorm(x, { weight: ones([]) }),
        "layerNorm: expected weight and bias of the shape of the last axes of x, got x [2, 4, 3], weight []",
      ],
      [() => ops.layerNorm(ones([])), "layerNorm: expected rows of at least one value, got x []"],
      [() => ops.layerNorm(ones([2, 0])), "layerNorm: expected rows of at least one value, got x [2, 0]"],
      [
        () => ops.layerNorm(ones([2, 0, 3]), { weight: ones([0, 3]) }),
        "layerNorm: expected rows of at least one value, got x [2, 0, 3]",
      ],
      [() => ops.layerNorm(x, { epsilon: 0 }), "layerNorm: epsilon must be a finite number above 0, got 0"],
      [
        () => ops.layerNorm(x, { eps: 1 } as never),
        'layerNorm: unknown option "eps"; possible are weight, bias, epsilon',
      ],
    ],
  },
  rmsNorm: {
    rowAxes: 1,
    linear: [[1]],
    domain: [
      {
        at: "a row of zeros",
        operands: [
          [0, 0],
          [2, 3],
        ],
        call: (t, weight) => ops.rmsNorm(t, { weight, epsilon: 0.25 }),
        value: [0, 0],
        gradients: [
          [4, 6],
          [0, 0],
        ],
      },
    ],
    samples: rmsNorms,
    errors: [
      [() => ops.rmsNorm(three), notATensor("rmsNorm")],
      [
        () => ops.rmsNorm(x, { weight: 0 } as never),
        "rmsNorm: operand 1 must be a tensor, got 0; wrap it in tensor(…)",
      ],
      [() => ops.rmsNorm(x, { weight: ones([3], wide) }), mixedMessage("rmsNorm")],
      [
        () => ops.rmsNorm(x, { weight: ones([4]) }),
        "rmsNorm: expected weight [n] for x […, n], got x [2, 4, 3], weight [4]",
      ],
      [() => ops.rmsNorm(ones([])), "rmsNorm: expected a last axis with at least one entry, got []"],
      [() => ops.rmsNorm(ones([2, 0])), "rmsNorm: expected a last axis with at least one entry, got [2, 0]"],
      [
        () => ops.rmsNorm(x, { epsilon: Number.NaN }),
        "rmsNorm: epsilon must be a finite number above 0, got NaN",
      ],
      [
        () => ops.rmsNorm(x, { bias: ones([3]) } as never),
        'rmsNorm: unknown option "bias"; possible are weight, epsilon',
      ],
    ],
  },
  groupNorm: {
    // A sample, however many axes it has.
    rowAxes: 1,
    linear: [[1, 2]],
    samples: groupNorms,
    errors: [
      [() => ops.groupNorm(three, 1), notATensor("groupNorm")],
      [() => ops.groupNorm(x, 2, { weight: ones([4], wide) }), mixedMessage("groupNorm")],
      [() => ops.groupNorm(x, 3), "groupNorm: 4 channels of x do not fall into 3 equal groups"],
      [() => ops.groupNorm(x, 0), "groupNorm: groups must be a whole number of at least 1, got 0"],
      [
        () => ops.groupNorm(x, { groups: 2 } as never),
        "groupNorm: groups must be a whole number of at least 1, got an object",
      ],
      [
        () => ops.groupNorm(ones([4]), 2),
        "groupNorm: expected x [samples, channels, …] with at least one value a sample, got [4]",
      ],
      [
        () => ops.groupNorm(ones([2, 4, 0]), 2),
        "groupNorm: expected x [samples, channels, …] with at least one value a sample, got [2, 4, 0]",
      ],
      [
        () => ops.groupNorm(x, 2, { weight: ones([4]), bias: ones([2]) }),
        "groupNorm: expected weight and bias [channels] for x [samples, channels, …], got x [2, 4, 3], weight [4], bias [2]",
      ],
      [
        () => ops.groupNorm(x, 2, { epsilon: -1 }),
        "groupNorm: epsilon must be a finite number above 0, got -1",
      ],
      [
        () => ops.groupNorm(x, 2, { groups: 2 } as never),
        'groupNorm: unknown option "groups"; possible are weight, bias, epsilon',
      ],
    ],
  },
  batchNorm: {
    // A sample with given statistics; those of a batch make its samples depend on each other.
    rowAxes: 1,
    linear: [[1, 2]],
    domain: [
      {
        at: "a channel of equal values, which gives exactly the bias",
        operands: [[[7], [7], [7]], [2], [0.5]],
        call: (t, weight, bias) => ops.batchNorm(t, { weight, bias }),
        value: [[0.5], [0.5], [0.5]],
        gradients: [[[0], [0], [0]], [0], [3]],
      },
    ],
    golden: pytorch(
      "batch_norm_train",
      ({ attrs: { eps: epsilon = 1e-5 } }) =>
        (t, weight, bias) =>
          ops.batchNorm(t, { weight, bias, epsilon }),
    ),
    samples: fc.oneof({ weight: 2, arbitrary: batchNorms }, { weight: 1, arbitrary: givenNorms }),
    errors: [
      [() => ops.batchNorm(three), notATensor("batchNorm")],
      [() => ops.batchNorm(x, { weight: ones([4], wide) }), mixedMessage("batchNorm")],
      [() => ops.batchNorm(x, { mean: ones([4], wide), variance: ones([4]) }), mixedMessage("batchNorm")],
      [() => ops.batchNorm(x, { mean: ones([4]), variance: ones([4], wide) }), mixedMessage("batchNorm")],
      [() => ops.batchNorm(ones([4])), "batchNorm: expected x [samples, channels, …], got [4]"],
      [
        () => ops.batchNorm(ones([4]), { mean: ones([4]), variance: ones([4]) }),
        "batchNorm: expected x [samples, channels, …], got [4]",
      ],
      [
        () => ops.batchNorm(ones([1, 4])),
        "batchNorm: expected more than one value a channel, got x [1, 4]; a batch of one has no statistics; where it is what is left of an epoch, drop it with dropLast",
      ],
      [
        () => ops.batchNorm(ones([0, 4])),
        "batchNorm: expected more than one value a channel, got x [0, 4]; a batch of one has no statistics; where it is what is left of an epoch, drop it with dropLast",
      ],
      [
        () => ops.batchNorm(x, { bias: ones([3]) }),
        "batchNorm: expected weight and bias [channels] for x [samples, channels, …], got x [2, 4, 3], bias [3]",
      ],
      [
        () => ops.batchNorm(x, { mean: ones([4]) }),
        "batchNorm: mean and variance go together, got only mean",
      ],
      [
        () => ops.batchNorm(x, { variance: ones([4]) }),
        "batchNorm: mean and variance go together, got only variance",
      ],
      [
        () => ops.batchNorm(x, { mean: ones([3]), variance: ones([4]) }),
        "batchNorm: expected mean [channels] for x [2, 4, 3], got [3]",
      ],
      [
        () => ops.batchNorm(x, { mean: ones([4]), variance: ones([1, 4]) }),
        "batchNorm: expected variance [channels] for x [2, 4, 3], got [1, 4]",
      ],
      [
        () => ops.batchNorm(x, { mean: ones([4]), variance: grows }),
        "batchNorm: variance is a constant, got a tensor that requires a gradient; detach it",
      ],
      [
        () => ops.batchNorm(x, { mean: ops.scale(grows, 2), variance: ones([4]) }),
        "batchNorm: mean is a constant, got a tensor that requires a gradient; detach it",
      ],
      [
        () => ops.batchNorm(x, { mean: ones([4]), variance: ops.sub(ones([4]), ops.scale(ones([4]), 3)) }),
        "batchNorm: variance must not be negative, got -2 for channel 0",
      ],
      [() => ops.batchNorm(x, { epsilon: 0 }), "batchNorm: epsilon must be a finite number above 0, got 0"],
      [
        () => ops.batchNorm(x, { momentum: 0.1 } as never),
        'batchNorm: unknown option "momentum"; possible are weight, bias, epsilon, mean, variance',
      ],
    ],
  },
} satisfies OpSpecs;
