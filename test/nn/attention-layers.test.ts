/** What the layers of attention are made of: which function, and in which order their weights are drawn. */
import { describe, expect, it } from "vitest";
import { tensor } from "../../src/factories.ts";
import {
  Linear,
  type Module,
  MultiheadAttention,
  TransformerEncoderLayer,
  xavierUniform,
} from "../../src/nn/index.ts";
import { gelu, relu } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";

const weightsOf = (...layers: Module[]): unknown[] =>
  layers.flatMap((layer) =>
    [...layer.parameters()].filter(([name]) => name.endsWith("weight")).map(([, { data }]) => data),
  );

describe("MultiheadAttention", () => {
  it("draws its two projections from one stream, in the order of its fields", () => {
    const [random, other] = [new RandomStream(3), new RandomStream(3)];
    const layer = new MultiheadAttention(4, 2, { random });
    const wanted = [
      new Linear(4, 12, { random: other, init: xavierUniform }),
      new Linear(4, 4, { random: other }),
    ];
    expect(weightsOf(layer.inputProjection, layer.outputProjection)).toEqual(weightsOf(...wanted));
    expect(random.state()).toEqual(other.state());
  });
});

describe("TransformerEncoderLayer", () => {
  it("draws its attention and its two linear layers from one stream, in the order of its fields", () => {
    const [random, other] = [new RandomStream(3), new RandomStream(3)];
    const { attention, linear1, linear2 } = new TransformerEncoderLayer(4, 2, { feedForward: 4, random });
    const wanted = [new MultiheadAttention(4, 2, { random: other })];
    const linear = [new Linear(4, 4, { random: other }), new Linear(4, 4, { random: other })];
    expect(weightsOf(attention)).toEqual(weightsOf(...wanted));
    expect([linear1.stateDict(), linear2.stateDict()]).toEqual(linear.map((layer) => layer.stateDict()));
    expect(random.state()).toEqual(other.state());
  });

  it("bends with the exact GELU, or a ReLU", () => {
    const x = tensor([-2, -1.5, -0.5, 0.5, 1.5, 2]);
    const bend = (activation: "relu" | "gelu") =>
      new TransformerEncoderLayer(4, 2, { activation }).activation.forward(x).data;
    expect(bend("relu")).toEqual(relu(x).data);
    expect(bend("gelu")).toEqual(gelu(x, { approximation: "none" }).data);
    expect(bend("gelu")).not.toEqual(gelu(x, { approximation: "tanh" }).data);
  });
});
