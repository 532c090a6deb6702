import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import {
  ELU,
  GELU,
  LeakyReLU,
  Linear,
  type Module,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softplus,
  Tanh,
} from "../../src/nn/index.ts";
import * as ops from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const layers: readonly [name: string, layer: Module, op: (x: Tensor) => Tensor][] = [
  ["ReLU", new ReLU(), ops.relu],
  ["LeakyReLU", new LeakyReLU(), (x) => ops.leakyRelu(x, { slope: 0.01 })],
  ["LeakyReLU with a slope", new LeakyReLU({ slope: 0.2 }), (x) => ops.leakyRelu(x, { slope: 0.2 })],
  ["ELU", new ELU(), (x) => ops.elu(x, { alpha: 1 })],
  ["ELU with α", new ELU({ alpha: 0.5 }), (x) => ops.elu(x, { alpha: 0.5 })],
  ["SiLU", new SiLU(), ops.silu],
  ["GELU", new GELU(), (x) => ops.gelu(x, { approximation: "none" })],
  ["GELU by tanh", new GELU({ approximation: "tanh" }), (x) => ops.gelu(x, { approximation: "tanh" })],
  ["Sigmoid", new Sigmoid(), ops.sigmoid],
  ["Tanh", new Tanh(), ops.tanh],
  ["Softplus", new Softplus(), ops.softplus],
];

const x = tensor([
  [-3, -0.5, 0],
  [0.25, 1, 40],
]);

describe.each(layers)("%s", (_, layer, op) => {
  it("is its op, in both modes, with nothing to learn", () => {
    const wanted = op(x);
    for (const y of [layer.train().forward(x), layer.eval().forward(x)]) {
      expect(y.shape).toEqual(wanted.shape);
      expect(y.data).toEqual(wanted.data);
    }
    expect(layer.stateDict().size).toBe(0);
  });

  it("takes part in features", () => {
    const random = new RandomStream(1);
    const model = new Sequential({
      hidden: new Linear(3, 4, { random }),
      bend: layer,
      out: new Linear(4, 2, { random }),
    });
    const { features } = model.features(x);
    expect([...features.keys()]).toEqual(["hidden", "bend", "out"]);
    expect(features.get("bend")!.data).toEqual(op(features.get("hidden")!).data);
  });
});

describe("a wrong setting is refused when the layer is made", () => {
  it.each<[message: string, make: () => Module]>([
    ["LeakyReLU: slope must be a finite number, got NaN", () => new LeakyReLU({ slope: Number.NaN })],
    [
      'LeakyReLU: unknown option "negativeSlope"; possible are slope',
      () => new LeakyReLU({ negativeSlope: 0.1 } as object),
    ],
    ["LeakyReLU: expected { slope }, got 0.1", () => new LeakyReLU(0.1 as unknown as object)],
    ["ELU: alpha must be a finite number, got Infinity", () => new ELU({ alpha: Infinity })],
    ['ELU: unknown option "a"; possible are alpha', () => new ELU({ a: 1 } as object)],
    [
      'GELU: approximation must be "none" or "tanh", got true',
      () => new GELU({ approximation: true as unknown as "tanh" }),
    ],
    [
      'GELU: unknown option "approximate"; possible are approximation',
      () => new GELU({ approximate: "tanh" } as object),
    ],
  ])("%s", (message, make) => {
    expect(make).toThrow(new DistilgradError("value", message));
  });
});
