/**
 * Convolutions by their definitions, one loop for each index, and pooling windows as lists of positions: an oracle
 * that shares nothing with the ops. And what the tests of convolutions are fed with.
 */
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import type { Floats, Kernels } from "../../src/kernels/kernels.ts";
import type { RandomStream } from "../../src/random.ts";
import { type Shape, sizeOf } from "../../src/shape.ts";
import type { Tensor } from "../../src/tensor.ts";
import type { Operand } from "../support/arbitraries.ts";

export interface Setting {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

/** A leaf of normally distributed float32 values, in either set. */
export function normal(
  shape: Shape,
  random: RandomStream,
  kernels: Kernels = float32,
  requiresGrad = false,
): Tensor {
  const values = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal()));
  return tensor(values, { shape, kernels, requiresGrad });
}

/** Σ ab. */
export const dot = (a: Floats, b: Floats): number =>
  [...a].reduce((total, value, i) => total + value * b[i], 0);

/** Where `[a, b, c, d]` lies in a tensor of a shape with four axes. */
const at = (shape: Shape, a: number, b: number, c: number, d: number): number =>
  ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;

/** How the numbers are rounded: not at all, for float64. */
type Round = (x: number) => number;
const asIs: Round = (x) => x;

/** y[n, o, u, v] = b[o] + Σ w[o, c, i, j] · x[n, c, …] over c, i, j in this order, what lies outside of x being 0. */
export function convolved(
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  { stride, padding, dilation, groups }: Setting,
  round: Round = asIs,
): Operand {
  const [samples, , height, width] = x.shape;
  const [outputs, inputs, kernelHeight, kernelWidth] = weight.shape;
  const side = (axis: number): number =>
    Math.floor(
      (x.shape[2 + axis] + 2 * padding[axis] - dilation[axis] * (weight.shape[2 + axis] - 1) - 1) /
        stride[axis],
    ) + 1;
  const shape = [samples, outputs, side(0), side(1)];
  const values: number[] = [];
  for (let n = 0; n < samples; n++) {
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / (outputs / groups)) * inputs;
      for (let u = 0; u < shape[2]; u++) {
        for (let v = 0; v < shape[3]; v++) {
          let sum = bias?.values[o] ?? 0;
          for (let c = 0; c < inputs; c++) {
            for (let i = 0; i < kernelHeight; i++) {
              for (let j = 0; j < kernelWidth; j++) {
                const row = u * stride[0] + i * dilation[0] - padding[0];
                const col = v * stride[1] + j * dilation[1] - padding[1];
                const inside = row >= 0 && row < height && col >= 0 && col < width;
                const value = inside ? x.values[at(x.shape, n, first + c, row, col)] : 0;
                sum = round(sum + round(weight.values[at(weight.shape, o, c, i, j)] * value));
              }
            }
          }
          values.push(sum);
        }
      }
    }
  }
  return { shape, values };
}

/** y[n, o, u·s + i·d − p, v·s + j·d − p] += w[c, o, i, j] · x[n, c, u, v], from the bias on. */
export function transposeConvolved(
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  {
    stride,
    padding,
    dilation,
    groups,
    outputPadding,
  }: Setting & { readonly outputPadding: readonly [number, number] },
): Operand {
  const [samples, inputs, height, width] = x.shape;
  const [, groupOutputs, kernelHeight, kernelWidth] = weight.shape;
  const side = (axis: number): number =>
    (x.shape[2 + axis] - 1) * stride[axis] -
    2 * padding[axis] +
    dilation[axis] * (weight.shape[2 + axis] - 1) +
    outputPadding[axis] +
    1;
  const shape = [samples, groupOutputs * groups, side(0), side(1)];
  const plane = shape[2] * shape[3];
  const values = Array.from(
    { length: sizeOf(shape) },
    (_, i) => bias?.values[Math.floor(i / plane) % bias.values.length] ?? 0,
  );
  for (let n = 0; n < samples; n++) {
    for (let c = 0; c < inputs; c++) {
      const first = Math.floor(c / (inputs / groups)) * groupOutputs;
      for (let o = 0; o < groupOutputs; o++) {
        for (let u = 0; u < height; u++) {
          for (let v = 0; v < width; v++) {
            for (let i = 0; i < kernelHeight; i++) {
              for (let j = 0; j < kernelWidth; j++) {
                const row = u * stride[0] + i * dilation[0] - padding[0];
                const col = v * stride[1] + j * dilation[1] - padding[1];
                if (row < 0 || row >= shape[2] || col < 0 || col >= shape[3]) continue;
                values[at(shape, n, first + o, row, col)] +=
                  weight.values[at(weight.shape, c, o, i, j)] * x.values[at(x.shape, n, c, u, v)];
              }
            }
          }
        }
      }
    }
  }
  return { shape, values };
}

/** The positions from `first` up to `end` that an axis has. */
export const positions = (length: number, first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, i) => first + i).filter((i) => i >= 0 && i < length);

/** One number from each meeting of a set of rows with a set of columns, plane by plane. */
export function pooled(
  x: Operand,
  rows: readonly (readonly number[])[],
  cols: readonly (readonly number[])[],
  one: (values: number[]) => number,
): number[] {
  const [samples, channels] = x.shape;
  const values: number[] = [];
  for (let n = 0; n < samples; n++) {
    for (let c = 0; c < channels; c++) {
      for (const rowSet of rows) {
        for (const colSet of cols) {
          values.push(one(rowSet.flatMap((i) => colSet.map((j) => x.values[at(x.shape, n, c, i, j)]))));
        }
      }
    }
  }
  return values;
}
