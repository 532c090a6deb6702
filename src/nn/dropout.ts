import { requireInstance, requireOptions } from "../arguments.ts";
import { dropout, requireProbability } from "../ops/dropout.ts";
import { libraryStream, RandomStream } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** Drops values while training; the identity in evaluation mode, where it draws nothing. */
export class Dropout extends Module {
  readonly probability: number;
  readonly random: RandomStream;

  /**
   * @param probability how likely each value is to be dropped, in [0, 1). Default 0.5
   * @param options.random where the draws come from. Default: the library's stream
   */
  constructor(probability = 0.5, options: { readonly random?: RandomStream | undefined } = {}) {
    super();
    requireOptions("Dropout", options, ["random"]);
    requireProbability("Dropout", probability);
    this.probability = probability;
    this.random = options.random ?? libraryStream();
    requireInstance("Dropout", "random, a RandomStream", this.random, RandomStream);
  }

  forward(x: Tensor): Tensor {
    return this.training ? dropout(x, { probability: this.probability, random: this.random }) : x;
  }
}
