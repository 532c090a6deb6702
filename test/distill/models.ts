/** Small models and data for the tests of the trainers. */
import type { Dataset } from "../../src/data/dataset.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Dropout, Linear, type Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";
import { sha256OfFloats } from "../../src/sha256.ts";

export const inputs = 5;
export const classes = 3;

/** inputs → width → classes, with `hidden`, `relu` and `logits`. */
export function network(width: number, seed: number, kernels: Kernels = float32): Sequential {
  const random = new RandomStream(seed, "init");
  return new Sequential({
    hidden: new Linear(inputs, width, { random, kernels }),
    relu: new ReLU(),
    logits: new Linear(width, classes, { random, kernels }),
  });
}

/** The same with dropout after the rectifier. */
export function droppingNetwork(width: number, seed: number, dropout: RandomStream): Sequential {
  const random = new RandomStream(seed, "init");
  return new Sequential({
    hidden: new Linear(inputs, width, { random }),
    relu: new ReLU(),
    dropout: new Dropout(0.3, { random: dropout }),
    logits: new Linear(width, classes, { random }),
  });
}

/** Labelled rows. */
export function rowsOf(
  count: number,
  seed: number,
  kernels: Kernels = float32,
): Dataset & { labels: Int32Array } {
  const random = new RandomStream(seed, "data");
  return {
    x: tensor(randn([count, inputs], { random }).data, { shape: [count, inputs], kernels }),
    labels: Int32Array.from({ length: count }, () => random.below(classes)),
  };
}

/** One hash of all weights and buffers. */
export const hashOf = (model: Module): string =>
  [...model.stateDict()].map(([name, { data }]) => `${name} ${sha256OfFloats([data])}`).join("\n");
