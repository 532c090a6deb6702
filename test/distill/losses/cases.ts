/** What the tests of the losses draw, and the textbook's way to write what they compare with. */
import fc from "fast-check";
import { type OpCase, tensors } from "../../../src/check/fast-check/index.ts";
import { ones, tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Kernels } from "../../../src/kernels/kernels.ts";
import { type Shape, sizeOf } from "../../../src/shape.ts";
import { Tensor } from "../../../src/tensor.ts";

export type Loss = (student: Tensor, teacher: Tensor) => Tensor;
export type Row = readonly number[];

export const u = 2 ** -24;

/** A tensor's first axis as a list of flat rows. */
export const rowsOf = ({ data, shape: [rows] }: Tensor): Row[] => {
  const width = data.length / rows;
  return Array.from({ length: rows }, (_, row) => [...data.slice(row * width, (row + 1) * width)]);
};

export const sum = (values: Row): number => values.reduce((total, value) => total + value, 0);
export const mean = (values: Row): number => sum(values) / values.length;
export const dot = (a: Row, b: Row): number => sum(a.map((value, i) => value * b[i]));
export const norm = (a: Row): number => Math.sqrt(dot(a, a));
export const minus = (a: Row, b: Row): number[] => a.map((value, i) => value - b[i]);
export const unit = (a: Row): number[] => a.map((value) => value / norm(a));

export const softmax = (row: Row, temperature: number): number[] => {
  const powers = row.map((value) => Math.exp(value / temperature));
  return powers.map((power) => power / sum(powers));
};

export const kl = (q: Row, p: Row): number => sum(q.map((value, i) => value * Math.log(value / p[i])));

/** Of pairs of rows, the mean. */
export const overRows = (
  a: readonly Row[],
  b: readonly Row[],
  of: (a: Row, b: Row, row: number) => number,
): number => mean(a.map((row, i) => of(row, b[i], i)));

/** Logits of both models, `[rows, classes]`. */
export const logitPairs = ({ minRows = 1, minClasses = 1 } = {}): fc.Arbitrary<readonly [Tensor, Tensor]> =>
  fc
    .tuple(fc.integer({ min: minRows, max: minRows + 3 }), fc.integer({ min: minClasses, max: 5 }))
    .chain((shape) => fc.tuple(of(shape), of(shape)));

export const of = (
  shape: Shape,
  options: { min?: number; max?: number; gap?: number } = {},
): fc.Arbitrary<Tensor> => tensors({ ...options, shape, kernels: float64 });

/** Features of both models `[rows, width]`, the widths drawn apart. */
export const featurePairs = (
  { minRows = 1, maxRows = 4 } = {},
  options: { min?: number; max?: number; gap?: number } = { gap: 0.3 },
): fc.Arbitrary<readonly [Tensor, Tensor]> =>
  fc
    .tuple(
      fc.integer({ min: minRows, max: maxRows }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
    )
    .chain(([rows, own, other]) => fc.tuple(of([rows, own], options), of([rows, other], options)));

/** Maps of both models, the channels drawn apart. */
export const mapPairs = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 2 }),
  )
  .chain(([rows, own, other, height, width]) =>
    fc.tuple(of([rows, own, height, width], { gap: 0.3 }), of([rows, other, height, width], { gap: 0.3 })),
  );

/** One use of a loss. Values and gradients are computed in float64 and rounded once, to float32. */
export const lossCase = (
  [student, teacher]: readonly [Tensor, Tensor],
  call: OpCase["call"],
  expected: number,
  more: Partial<OpCase> = {},
): OpCase => ({
  operands: [student, teacher],
  call,
  shape: [],
  expected: [expected],
  gradientBound: (_, gradient) => u * Math.abs(gradient),
  ...more,
});

export interface Pass {
  readonly value: number;
  readonly student: number[];
  readonly teacher: number[];
}

type Numbers = Parameters<typeof tensor>[0] | Tensor;

const leafIn = (kernels: Kernels, values: Numbers): Tensor => {
  if (!(values instanceof Tensor)) return tensor(values as number[], { kernels, requiresGrad: true });
  const data =
    kernels.bytesPerElement === 4 ? Float32Array.from(values.data) : Float64Array.from(values.data);
  const leaf = new Tensor(data, values.shape, kernels);
  leaf.requiresGrad = true;
  return leaf;
};

/** The loss and both gradients. */
export function pass(loss: Loss, student: Numbers, teacher: Numbers, kernels: Kernels = float64): Pass {
  const [s, t] = [leafIn(kernels, student), leafIn(kernels, teacher)];
  const y = loss(s, t);
  y.backward();
  const gradient = (x: Tensor): number[] => [...(x.grad?.data ?? new Float64Array(x.size))];
  return { value: y.item(), student: gradient(s), teacher: gradient(t) };
}

/** Values in float64. */
export const in64 = (values: Numbers): Tensor =>
  values instanceof Tensor ? values : tensor(values as number[], { kernels: float64 });

/** The largest difference of two lists. */
export const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(0, ...Array.from(a, (value, i) => Math.abs(value - b[i])));

/** The same numbers, made by a function of each. */
export const mapped = (x: Tensor, f: (value: number, index: number) => number): Tensor =>
  new Tensor(
    Float64Array.from(x.data, (value, i) => f(value, i)),
    x.shape,
    float64,
  );

const three = 3 as unknown as Tensor;
type Refusals = readonly (readonly [call: () => unknown, message: string])[];
type Options = Record<string, unknown>;

const mixed = (op: string, call: Loss): Refusals[number] => [
  () => call(ones([2, 3]), ones([2, 3], { kernels: float64 })),
  `${op}: operands live in two kernel sets, float32 and float64; make both with the same`,
];

/** What every loss of logits refuses. */
export const logitRefusals = (op: string, call: Loss): Refusals => [
  [() => call(three, three), `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`],
  mixed(op, call),
  [
    () => call(ones([2, 3]), ones([2, 4])),
    `${op}: studentLogits and teacherLogits must have the same shape, got [2, 3] and [2, 4]`,
  ],
  [
    () => call(ones([2, 3]), ones([1, 3])),
    `${op}: studentLogits and teacherLogits must have the same shape, got [2, 3] and [1, 3]`,
  ],
  [
    () => call(ones([0, 3]), ones([0, 3])),
    `${op}: expected studentLogits [rows, classes] with at least one row, got [0, 3]`,
  ],
  [() => call(ones([2, 0]), ones([2, 0])), `${op}: expected a last axis with at least one entry, got [2, 0]`],
  [
    () => call(ones([2, 3, 4]), ones([2, 3, 4])),
    `${op}: expected studentLogits [rows, classes] with at least one row, got [2, 3, 4]; reshape them to [6, 4]`,
  ],
];

/** What a loss with a temperature refuses. */
export const temperatureRefusals = (
  op: string,
  call: (s: Tensor, t: Tensor, options: Options) => Tensor,
): Refusals => {
  const at = (temperature: unknown) => () => call(ones([2, 3]), ones([2, 3]), { temperature });
  return [
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, null].map(
      (temperature) =>
        [at(temperature), `${op}: temperature must be a finite number above 0, got ${temperature}`] as const,
    ),
    ...[1e-9, 1e9].map(
      (temperature) =>
        [
          at(temperature),
          `${op}: temperature must be a number from 1e-8 to 1e8, got ${temperature}`,
        ] as const,
    ),
  ];
};

/** Options that a loss does not know. */
export const optionRefusals = (
  op: string,
  names: string,
  call: (s: Tensor, t: Tensor, options: Options) => Tensor,
): Refusals => [
  [() => call(ones([2, 3]), ones([2, 3]), { tau: 4 }), `${op}: unknown option "tau"; possible are ${names}`],
  [() => call(ones([2, 3]), ones([2, 3]), 4 as unknown as Options), `${op}: expected { ${names} }, got 4`],
];

/** What a weight may not be. */
export const weightRefusals = (
  op: string,
  name: string,
  call: (s: Tensor, t: Tensor, options: Options) => Tensor,
): Refusals =>
  [-1, Number.NaN, Number.POSITIVE_INFINITY].map((weight) => [
    () => call(ones([2, 3]), ones([2, 3]), { [name]: weight }),
    `${op}: ${name} must be a finite number of at least 0, got ${weight}`,
  ]);

/** What losses of features refuse, whose widths may differ. */
export const rowRefusals = (op: string, call: Loss): Refusals => {
  const refused = (s: Shape, t: Shape): Refusals[number] => [
    () => call(ones(s), ones(t)),
    `${op}: expected student and teacher [rows, …] of the same rows, none of them empty, got [${s.join(", ")}] and [${t.join(", ")}]`,
  ];
  return [
    [() => call(three, three), `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`],
    mixed(op, call),
    refused([2, 3], [1, 3]),
    refused([2], [2]),
    refused([2, 3], [2]),
    refused([0, 3], [0, 3]),
    refused([2, 0], [2, 3]),
  ];
};

/** What losses of maps refuse. */
export const mapRefusals = (op: string, call: Loss): Refusals => {
  const refused = (s: Shape, t: Shape, hint = ""): Refusals[number] => [
    () => call(ones(s), ones(t)),
    `${op}: expected student and teacher maps [rows, channels, height, width] that differ in channels at most, got [${s.join(", ")}] and [${t.join(", ")}]${hint}`,
  ];
  const pool = "; adaptiveAvgPool2d brings maps to one height and width";
  return [
    [() => call(three, three), `${op}: operand 0 must be a tensor, got 3; wrap it in tensor(…)`],
    mixed(op, call),
    refused([2, 3], [2, 3]),
    refused([2, 3, 4, 4], [2, 3, 16]),
    refused([2, 3, 4, 4], [1, 3, 4, 4]),
    refused([2, 3, 4, 4], [2, 3, 2, 4], pool),
    refused([2, 3, 4, 4], [2, 3, 4, 2], pool),
    refused([0, 3, 4, 4], [0, 3, 4, 4]),
    refused([2, 0, 4, 4], [2, 3, 4, 4]),
  ];
};

/** A flat list in a shape. */
export const shaped = (values: readonly number[], shape: Shape): Tensor => {
  if (values.length !== sizeOf(shape)) throw new RangeError(`${values.length} values for ${shape}`);
  return new Tensor(Float64Array.from(values), shape, float64);
};
