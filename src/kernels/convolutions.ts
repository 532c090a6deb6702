/**
 * Floor 0: convolution as a product, class a, in the three directions that convolutions and transposed ones share.
 * Windows slide over an image and make a map. For each group of each sample, with the windows as columns
 * (src/kernels/columns.ts),
 *
 *     map     += weight · columns                    [outputs, inputs · taps] · [inputs · taps, windows]
 *     columns  = weightᵀ · map,   image += columns
 *     weight  += map · columnsᵀ
 *
 * One buffer of columns, inputs · taps · windows floats, serves all of a call. Samples are multiplied one by one, so a
 * result rests on its own sample alone, to the last bit.
 */
import { addColumns, toColumns, type Unrolling } from "./columns.ts";
import type { Floats, Kernels } from "./kernels.ts";
import { convolutional } from "./wasm/convolutional.ts";
import { isIdentity } from "./windows.ts";

/** Which channels meet which, and where the windows lie. */
export interface Convolution extends Unrolling {
  readonly kernels: Kernels;
  readonly samples: number;
  readonly groups: number;
  /** Channels of one group of the image. */
  readonly inputs: number;
  /** Channels of one group of the map. */
  readonly outputs: number;
}

/** map += weight · columns */
export function addMap(map: Floats, weight: Floats, image: Floats, geometry: Convolution): void {
  if (runs("addMap", map, map, weight, image, geometry)) return;
  const { kernels, outputs } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    if (columns) toColumns(columns, image, geometry);
    kernels.matmul(map, weight, columns ?? image, outputs, depth, windows);
  });
}

/** image += the columns of weightᵀ · map */
export function addImage(image: Floats, weight: Floats, map: Floats, geometry: Convolution): void {
  if (runs("addImage", image, map, weight, image, geometry)) return;
  const { kernels, outputs } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    columns?.fill(0);
    kernels.matmulTransposedA(columns ?? image, weight, map, depth, outputs, windows);
    if (columns) addColumns(image, columns, geometry);
  });
}

/** weight += map · columnsᵀ, samples in ascending order */
export function addWeight(weight: Floats, map: Floats, image: Floats, geometry: Convolution): void {
  if (runs("addWeight", weight, map, weight, image, geometry)) return;
  const { kernels, outputs } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    if (columns) toColumns(columns, image, geometry);
    kernels.matmulTransposedB(weight, map, columns ?? image, outputs, windows, depth);
  });
}

/** The whole of a direction as one call of a program; false where there is none. */
function runs(
  program: "addMap" | "addImage" | "addWeight",
  written: Floats,
  map: Floats,
  weight: Floats,
  image: Floats,
  geometry: Convolution,
): boolean {
  const { kernels, samples, groups, inputs, outputs, vertical, horizontal, taps } = geometry;
  if (kernels.simd === undefined) return false;
  const { depth, windows, columns } = sizesOf(geometry);
  const description = Int32Array.of(
    samples,
    groups,
    outputs,
    depth,
    windows,
    inputs,
    vertical.length * horizontal.length,
    vertical.taps * horizontal.taps,
    horizontal.stride,
    vertical.stride * horizontal.length,
    horizontal.count,
    taps.length,
    ...taps,
  );
  return kernels.simd.run(
    convolutional,
    [written],
    [map, weight, image, description, columns],
    (programs, map, weight, image, description, own) =>
      programs[program](map, weight, image, columns && own, description),
  );
}

/** The sizes of the columns: of none, where an image is its own. */
function sizesOf({ inputs, vertical, horizontal }: Convolution): {
  readonly depth: number;
  readonly windows: number;
  readonly columns: number;
} {
  const depth = inputs * vertical.taps * horizontal.taps;
  const windows = vertical.count * horizontal.count;
  const same = isIdentity(vertical) && isIdentity(horizontal);
  return { depth, windows, columns: same ? 0 : depth * windows };
}

function columnsFor(geometry: Convolution): {
  readonly depth: number;
  readonly windows: number;
  readonly columns: Floats | null;
} {
  const { depth, windows, columns } = sizesOf(geometry);
  return { depth, windows, columns: columns === 0 ? null : geometry.kernels.alloc(columns) };
}

/** Visits the parts of map, weight and image that belong to each group of each sample. */
function forEachGroup(
  { samples, groups, inputs, outputs, vertical, horizontal }: Convolution,
  map: Floats,
  weight: Floats,
  image: Floats,
  visit: (map: Floats, weight: Floats, image: Floats) => void,
): void {
  const mapSize = outputs * vertical.count * horizontal.count;
  const weightSize = outputs * inputs * vertical.taps * horizontal.taps;
  const imageSize = inputs * vertical.length * horizontal.length;
  for (let i = 0; i < samples * groups; i++) {
    const group = i % groups;
    visit(
      map.subarray(i * mapSize, (i + 1) * mapSize),
      weight.subarray(group * weightSize, (group + 1) * weightSize),
      image.subarray(i * imageSize, (i + 1) * imageSize),
    );
  }
}
