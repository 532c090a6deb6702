import { requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { formatShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** What is known of every column: its mean, and its deviation, 0 for a constant one. */
export interface Scale {
  readonly mean: ArrayLike<number>;
  readonly deviation: ArrayLike<number>;
}

/**
 * Gives every column mean 0 and deviation 1, as measured on the training rows and applied to all.
 *
 *     y = (x − mean) / deviation
 *
 * A constant column has deviation 0 and is only centred. The deviation is that of the whole set (divided by n).
 */
export class Standardizer {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;

  /**
   * @param x `[rows, columns]`, whose columns are measured: at least one row; or what another standardizer measured, such
   *   as one that was saved
   * @throws on values that are not finite, and on a scale without a mean and a deviation of at least 0 for each column
   */
  constructor(x: Tensor | Scale) {
    if (isScale(x)) {
      [this.mean, this.deviation] = checked(x);
      return;
    }
    requireInstance("Standardizer", "x, a tensor [rows, columns]", x, Tensor);
    const [rows, columns] = x.shape;
    if (x.shape.length !== 2 || rows < 1) {
      throw new DistilgradError(
        "data",
        `Standardizer: expected x [rows, columns] with at least one row, got ${formatShape(x.shape)}`,
      );
    }
    const bad = x.data.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      throw new DistilgradError(
        "data",
        `Standardizer: x must be finite, got ${x.data[bad]} at row ${Math.floor(bad / columns)}, column ${bad % columns}`,
      );
    }
    this.mean = new Float64Array(columns);
    this.deviation = new Float64Array(columns);
    for (let column = 0; column < columns; column++) {
      // Counted from the first row: a constant column then has its value for a mean exactly, and deviation 0.
      const first = x.data[column];
      let sum = 0;
      for (let i = column; i < x.size; i += columns) sum += x.data[i] - first;
      const mean = first + sum / rows;
      // Two passes: the difference of large squares would lose the digits of a small deviation.
      let squares = 0;
      for (let i = column; i < x.size; i += columns) squares += (x.data[i] - mean) * (x.data[i] - mean);
      this.mean[column] = mean;
      this.deviation[column] = Math.sqrt(squares / rows);
    }
  }

  /** `x` on the scale of the rows that were measured. */
  apply(x: Tensor): Tensor {
    const columns = this.mean.length;
    if (x.shape.length !== 2 || x.shape[1] !== columns) {
      throw new DistilgradError(
        "data",
        `Standardizer: expected [rows, ${columns}], got ${formatShape(x.shape)}`,
      );
    }
    const data = x.kernels.alloc(x.size);
    for (let i = 0; i < data.length; i++) {
      const column = i % columns;
      data[i] = (x.data[i] - this.mean[column]) / (this.deviation[column] || 1);
    }
    return new Tensor(data, x.shape, x.kernels);
  }
}

const isScale = (x: Tensor | Scale): x is Scale =>
  typeof x === "object" && x !== null && "mean" in x && "deviation" in x;

function checked({ mean, deviation }: Scale): [mean: Float64Array, deviation: Float64Array] {
  const columns = mean?.length;
  const fits = (value: number, least: number): boolean =>
    typeof value === "number" && Number.isFinite(value) && value >= least;
  if (
    !(columns >= 1 && deviation?.length === columns) ||
    !Array.from(mean).every((value) => fits(value, Number.NEGATIVE_INFINITY)) ||
    !Array.from(deviation).every((value) => fits(value, 0))
  ) {
    throw new DistilgradError(
      "value",
      "Standardizer: expected a finite mean and a finite deviation of at least 0 for each column",
    );
  }
  return [Float64Array.from(mean), Float64Array.from(deviation)];
}
