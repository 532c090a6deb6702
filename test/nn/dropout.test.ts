import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones } from "../../src/factories.ts";
import { Dropout } from "../../src/nn/index.ts";
import { libraryStream, manualSeed, RandomStream } from "../../src/random.ts";

const x = ones([100, 100], { requiresGrad: true });

describe("Dropout", () => {
  it("drops about its share and scales the rest, so that the mean stays", () => {
    const y = new Dropout(0.2, { random: new RandomStream(1, "dropout") }).forward(x);
    const kept = [...y.data].filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.8)]));
    // Five standard deviations of a binomial count: 5·√(10⁴ · 0.2 · 0.8) = 200.
    expect(Math.abs(kept.length - 8000)).toBeLessThan(200);
  });

  it("hands gradients back through what was kept, scaled alike", () => {
    const input = ones([4, 4], { requiresGrad: true });
    const y = new Dropout(0.5, { random: new RandomStream(1) }).forward(input);
    y.backward(ones([4, 4]));
    expect(input.grad!.data).toEqual(y.data);
  });

  it("draws anew at each pass, and the same from the same state", () => {
    const stream = new RandomStream(1, "dropout");
    const layer = new Dropout(0.5, { random: stream });
    const start = stream.state();
    const first = layer.forward(x).data;
    expect(layer.forward(x).data).not.toEqual(first);
    stream.restore(start);
    expect(layer.forward(x).data).toEqual(first);
  });

  it("is the identity in evaluation mode and draws nothing", () => {
    const stream = new RandomStream(1, "dropout");
    const start = stream.state();
    expect(new Dropout(0.9, { random: stream }).eval().forward(x)).toBe(x);
    expect(stream.state()).toEqual(start);
  });

  it("is the identity with probability 0 and draws nothing", () => {
    const stream = new RandomStream(1, "dropout");
    const start = stream.state();
    expect(new Dropout(0, { random: stream }).forward(x)).toBe(x);
    expect(stream.state()).toEqual(start);
  });

  it("drops half by default, from the library's stream", () => {
    manualSeed(3);
    const layer = new Dropout();
    expect(layer.probability).toBe(0.5);
    expect(layer.random).toBe(libraryStream());
    const first = layer.forward(x).data;
    manualSeed(3);
    expect(layer.forward(x).data).toEqual(first);
  });

  it.each([-0.1, 1, 1.5, Number.NaN])("refuses the probability %d", (probability) => {
    expect(() => new Dropout(probability)).toThrow(
      new DistilgradError("value", `Dropout: probability must be in [0, 1), got ${probability}`),
    );
  });
});
