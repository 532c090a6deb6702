/** Floor 6: the fully connected networks that the command line trains. */
import { ReLU } from "../nn/activations.ts";
import { Dropout } from "../nn/dropout.ts";
import { Linear } from "../nn/linear.ts";
import type { Module } from "../nn/module.ts";
import { Sequential } from "../nn/sequential.ts";
import type { RandomStream } from "../random.ts";

export interface NetworkStreams {
  readonly init: RandomStream;
  /** Read where values are dropped. */
  readonly dropout?: RandomStream;
}

/**
 * Linear layers of these widths with a ReLU between any two, and dropout after each ReLU if `probability` is above 0.
 *
 * @param layers from the features to the classes, at least two
 */
export function network(layers: readonly number[], probability: number, streams: NetworkStreams): Sequential {
  const parts: Record<string, Module> = {};
  for (let i = 1; i < layers.length; i++) {
    const linear = new Linear(layers[i - 1], layers[i], { random: streams.init });
    if (i === layers.length - 1) {
      parts.logits = linear;
      break;
    }
    parts[`hidden${i}`] = linear;
    parts[`relu${i}`] = new ReLU();
    if (probability > 0 && streams.dropout) {
      parts[`dropout${i}`] = new Dropout(probability, { random: streams.dropout });
    }
  }
  return new Sequential(parts);
}
