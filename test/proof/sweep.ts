/** What a sweep over a function's inputs has found, as its test hands it on to whoever prints it. */
export interface SweepFigures {
  readonly name: string;
  readonly inputs: number;
  /** The largest errors, in units in the last place. */
  readonly float64: number;
  readonly float32: number;
  /** How many float32 results are the second nearest number. */
  readonly misrounded: number;
}

declare module "vitest" {
  interface TaskMeta {
    sweep?: SweepFigures;
  }
}
