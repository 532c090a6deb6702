/** Floor 3: samples that belong together, and how they are taken apart. */
import { kindOf, requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { requireLabels } from "../labels.ts";
import { RandomStream } from "../random.ts";
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

/**
 * How many samples there are.
 *
 * @throws when x is no tensor with rows, when labels or teacher logits are not one for each row, when a label is not a
 *   whole number of at least −1, and on a field that no dataset has
 */
export function rowCount(where: string, dataset: Dataset): number {
  if (!(dataset?.x instanceof Tensor) || dataset.x.shape.length < 1) {
    throw new DistilgradError(
      "data",
      `${where}: expected a dataset { x, labels } with x [rows, …], got ${described(dataset)}`,
    );
  }
  requireOptions(where, dataset, ["x", "labels", "teacherLogits"]);
  const { x, labels, teacherLogits } = dataset;
  const rows = x.shape[0];
  if (labels !== undefined) requireLabels(where, labels, rows, Number.POSITIVE_INFINITY, unlabelled);
  if (teacherLogits !== undefined && teacherLogits?.shape?.[0] !== rows) {
    const got = teacherLogits instanceof Tensor ? formatShape(teacherLogits.shape) : kindOf(teacherLogits);
    throw new DistilgradError("data", `${where}: expected teacherLogits [${rows}, classes], got ${got}`);
  }
  return rows;
}

function described(dataset: unknown): string {
  if (typeof dataset !== "object" || dataset === null || dataset instanceof Tensor) return kindOf(dataset);
  const { x } = dataset as { readonly x?: unknown };
  return `x ${x instanceof Tensor ? formatShape(x.shape) : kindOf(x)}`;
}

/** The samples at `indices`, in that order, as a dataset of its own: one new array a field, none a sample. */
export function takeRows<D extends Dataset>(dataset: D, indices: ArrayLike<number>): D {
  const rows = rowCount("takeRows", dataset);
  if (typeof indices?.length !== "number") {
    throw new DistilgradError("data", `takeRows: expected a list of indices, got ${kindOf(indices)}`);
  }
  for (let i = 0; i < indices.length; i++) {
    if (!(Number.isInteger(indices[i]) && indices[i] >= 0 && indices[i] < rows)) {
      throw new DistilgradError(
        "data",
        `takeRows: indices are whole numbers in [0, ${rows}), got ${indices[i]} at position ${i}`,
      );
    }
  }
  return gatherRows(dataset, indices);
}

/** `takeRows` for whoever has checked dataset and indices before: a loader takes rows at every step. */
export function gatherRows<D extends Dataset>(dataset: D, indices: ArrayLike<number>): D {
  const { x, labels, teacherLogits } = dataset;
  const taken: Dataset = {
    x: gather(x, indices),
    ...(labels && { labels: Int32Array.from({ length: indices.length }, (_, i) => labels[indices[i]]) }),
    ...(teacherLogits && { teacherLogits: gather(teacherLogits, indices) }),
  };
  return taken as D; // the same fields, as rowCount has made sure
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
export function split<D extends Dataset>(
  dataset: D,
  options: { readonly test: number; readonly random: RandomStream },
): { readonly train: D; readonly test: D } {
  const rows = rowCount("split", dataset);
  requireOptions("split", options, ["test", "random"]);
  requireInstance("split", "random, a RandomStream", options.random, RandomStream);
  const count = Math.round(rows * options.test);
  if (!(typeof options.test === "number" && options.test > 0 && count >= 1 && count < rows)) {
    throw new DistilgradError(
      "data",
      `split: test must be a share in (0, 1) that leaves both parts a row, got ${kindOf(options.test)} of ${rows} rows`,
    );
  }
  const order = options.random.permutation(rows);
  return {
    train: takeRows(dataset, order.subarray(count)),
    test: takeRows(dataset, order.subarray(0, count)),
  };
}
