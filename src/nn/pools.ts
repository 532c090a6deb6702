/** Floor 3: poolings as layers. They have no weights: each remembers how it was set. */
import { requireOptions } from "../arguments.ts";
import { adaptiveAvgPool2d } from "../ops/adaptive-avg-pool2d.ts";
import { type AvgPool2dOptions, avgPool2d, requireAvgPool } from "../ops/avg-pool2d.ts";
import { globalAvgPool2d } from "../ops/global-avg-pool2d.ts";
import { maxPool2d, type PoolOptions } from "../ops/max-pool2d.ts";
import { type PoolSettings, requirePool } from "../ops/spans.ts";
import { type Pair, requirePair } from "../ops/windows.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** The largest value of each window: `[samples, channels, height, width]` to `[samples, channels, …]`. */
export class MaxPool2d extends Module {
  readonly settings: PoolSettings;

  /** @param size of a window: its height and width, or one number for both */
  constructor(size: Pair, options: Omit<PoolOptions, "size"> = {}) {
    super();
    requireOptions("MaxPool2d", options, ["stride", "padding"]);
    this.settings = requirePool("MaxPool2d", { size, ...options });
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.settings);
  }
}

/** The mean of each window: `[samples, channels, height, width]` to `[samples, channels, …]`. */
export class AvgPool2d extends Module {
  readonly settings: PoolSettings & { readonly countPadding: boolean };

  /** @param size of a window: its height and width, or one number for both */
  constructor(size: Pair, options: Omit<AvgPool2dOptions, "size"> = {}) {
    super();
    requireOptions("AvgPool2d", options, ["stride", "padding", "countPadding"]);
    this.settings = requireAvgPool("AvgPool2d", { size, ...options });
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.settings);
  }
}

/** Means of as many windows as are wanted: `[samples, channels, height, width]` to `[samples, channels, …size]`. */
export class AdaptiveAvgPool2d extends Module {
  readonly size: readonly [height: number, width: number];

  /** @param size of the result: its height and width, or one number for both */
  constructor(size: Pair) {
    super();
    this.size = requirePair("AdaptiveAvgPool2d", "size", size, 1);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.size);
  }
}

/** The mean of each plane: `[samples, channels, height, width]` to `[samples, channels]`. */
export class GlobalAvgPool2d extends Module {
  forward(x: Tensor): Tensor {
    return globalAvgPool2d(x);
  }
}
