/** Floor 6: how long a prediction takes: the one thing here that a clock decides. */
import { noGrad } from "../graph.ts";
import type { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";

const WARM_UP = 200;
const SAMPLES = 101;
const CALLS = 10;

/** Microseconds for one call of `forward`, in evaluation mode and without a graph: the median over samples of ten calls. */
export function predictionMicroseconds(model: Module, row: Tensor): number {
  return model.inEvalMode(() =>
    noGrad(() => {
      for (let i = 0; i < WARM_UP; i++) model.forward(row);
      const samples: number[] = [];
      for (let i = 0; i < SAMPLES; i++) {
        const start = performance.now();
        for (let call = 0; call < CALLS; call++) model.forward(row);
        samples.push(((performance.now() - start) * 1000) / CALLS);
      }
      return median(samples);
    }),
  );
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
