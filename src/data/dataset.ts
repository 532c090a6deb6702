/** Floor 3: samples that belong together, and how they are taken apart. */
import { DistilgradError } from "../errors.ts";
import type { RandomStream } from "../random.ts";
import { formatShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** The label of a row that has none. */
export const unlabelled = -1;

/**
 * Samples, and what is known of each, row by row. What lines up here lines up in every batch and split: rows are only
 * ever taken together.
 */
export interface Dataset {
  /** `[rows, …]` */
  readonly x: Tensor;
  /** A class for each row, or −1 for a row without a label. Left out when no row has one. */
  readonly labels?: Int32Array;
  /** `[rows, classes]`, a teacher's answers, computed once for a fixed set. */
  readonly teacherLogits?: Tensor;
}

/** How many samples there are. @throws when labels or teacher logits are not one for each */
export function rowCount(where: string, { x, labels, teacherLogits }: Dataset): number {
  if (!(x instanceof Tensor) || x.shape.length < 1) {
    throw new DistilgradError(
      "data",
      `${where}: expected x [rows, …]${x instanceof Tensor ? `, got ${formatShape(x.shape)}` : " as a tensor"}`,
    );
  }
  const rows = x.shape[0];
  if (labels !== undefined && labels.length !== rows) {
    throw new DistilgradError("data", `${where}: x has ${rows} rows and labels ${labels.length}`);
  }
  if (teacherLogits !== undefined && teacherLogits.shape[0] !== rows) {
    throw new DistilgradError(
      "data",
      `${where}: x has ${rows} rows and teacherLogits ${teacherLogits.shape[0]}`,
    );
  }
  return rows;
}

/** The samples at `indices`, in that order, as a dataset of its own: one new array a field, none a sample. */
export function takeRows(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const rows = rowCount("takeRows", dataset);
  for (let i = 0; i < indices.length; i++) {
    if (!(Number.isInteger(indices[i]) && indices[i] >= 0 && indices[i] < rows)) {
      throw new DistilgradError(
        "data",
        `takeRows: indices are whole numbers in [0, ${rows}), got ${indices[i]} at position ${i}`,
      );
    }
  }
  const { x, labels, teacherLogits } = dataset;
  return {
    x: gather(x, indices),
    ...(labels && { labels: Int32Array.from({ length: indices.length }, (_, i) => labels[indices[i]]) }),
    ...(teacherLogits && { teacherLogits: gather(teacherLogits, indices) }),
  };
}

function gather(x: Tensor, indices: ArrayLike<number>): Tensor {
  const width = x.size / x.shape[0];
  const data = x.kernels.alloc(indices.length * width);
  for (let i = 0, at = 0; i < indices.length; i++) {
    for (let from = indices[i] * width, end = from + width; from < end; from++) data[at++] = x.data[from];
  }
  return new Tensor(data, [indices.length, ...x.shape.slice(1)], x.kernels);
}

/** Rows `start` to `end` of a tensor, sharing its values. */
export function rowsBetween(x: Tensor, start: number, end: number): Tensor {
  const width = x.shape[0] === 0 ? 0 : x.size / x.shape[0];
  return new Tensor(
    x.data.subarray(start * width, end * width),
    [end - start, ...x.shape.slice(1)],
    x.kernels,
  );
}

/**
 * Two parts of a dataset, drawn at random: `test` of the rows, rounded to the nearest, and the rest.
 *
 * @param options.test the share of the test part, in (0, 1)
 * @throws when a part would be empty
 */
export function split(
  dataset: Dataset,
  options: { readonly test: number; readonly random: RandomStream },
): { readonly train: Dataset; readonly test: Dataset } {
  const rows = rowCount("split", dataset);
  const count = Math.round(rows * options.test);
  if (!(options.test > 0 && options.test < 1) || count < 1 || count >= rows) {
    throw new DistilgradError(
      "data",
      `split: test must be a share in (0, 1) that leaves both parts a row, got ${options.test} of ${rows} rows`,
    );
  }
  const order = options.random.permutation(rows);
  return {
    train: takeRows(dataset, order.subarray(count)),
    test: takeRows(dataset, order.subarray(0, count)),
  };
}
