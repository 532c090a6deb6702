/**
 * Floor 2: convolution as a product, in the three directions that convolutions and transposed ones share. Windows slide
 * over an image and make a map. For each group of each sample, with the windows as columns (src/ops/columns.ts),
 *
 *     map     += weight · columns                    [outputs, inputs · taps] · [inputs · taps, windows]
 *     columns  = weightᵀ · map,   image += columns
 *     weight  += map · columnsᵀ
 *
 * One buffer of columns, inputs · taps · windows floats, serves all of a call. Samples are multiplied one by one, so a
 * result rests on its own sample alone, to the last bit.
 */
import type { Floats, Kernels } from "../kernels/kernels.ts";
import { addColumns, toColumns } from "./columns.ts";
import type { Windows } from "./windows.ts";

/** Which channels meet which, and where the windows lie. */
export interface Convolution {
  readonly kernels: Kernels;
  readonly samples: number;
  readonly groups: number;
  /** Channels of one group of the image. */
  readonly inputs: number;
  /** Channels of one group of the map. */
  readonly outputs: number;
  readonly vertical: Windows;
  readonly horizontal: Windows;
}

/** map += weight · columns */
export function addMap(map: Floats, weight: Floats, image: Floats, geometry: Convolution): void {
  const { kernels, outputs, vertical, horizontal } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    if (columns) toColumns(columns, image, vertical, horizontal);
    kernels.matmul(map, weight, columns ?? image, outputs, depth, windows);
  });
}

/** image += the columns of weightᵀ · map */
export function addImage(image: Floats, weight: Floats, map: Floats, geometry: Convolution): void {
  const { kernels, outputs, vertical, horizontal } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    columns?.fill(0);
    kernels.matmulTransposedA(columns ?? image, weight, map, depth, outputs, windows);
    if (columns) addColumns(image, columns, vertical, horizontal);
  });
}

/** weight += map · columnsᵀ, samples in ascending order */
export function addWeight(weight: Floats, map: Floats, image: Floats, geometry: Convolution): void {
  const { kernels, outputs, vertical, horizontal } = geometry;
  const { depth, windows, columns } = columnsFor(geometry);
  forEachGroup(geometry, map, weight, image, (map, weight, image) => {
    if (columns) toColumns(columns, image, vertical, horizontal);
    kernels.matmulTransposedB(weight, map, columns ?? image, outputs, windows, depth);
  });
}

/** The sizes of the columns, and a buffer for them; null where an image is its own columns. */
function columnsFor({ kernels, inputs, vertical, horizontal }: Convolution): {
  readonly depth: number;
  readonly windows: number;
  readonly columns: Floats | null;
} {
  const depth = inputs * vertical.taps * horizontal.taps;
  const windows = vertical.count * horizontal.count;
  const same = isIdentity(vertical) && isIdentity(horizontal);
  return { depth, windows, columns: same ? null : kernels.alloc(depth * windows) };
}

/** Whether each window is one position, in their order: without padding, no others are as many as the positions. */
const isIdentity = ({ padding, length, count }: Windows): boolean => padding === 0 && length === count;

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
