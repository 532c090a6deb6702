import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { Linear, Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { scale } from "../../src/ops/scale.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

/** Writes down that it was called. */
class Step extends Module {
  readonly #name: string;
  readonly #log: string[];
  constructor(name: string, log: string[]) {
    super();
    this.#name = name;
    this.#log = log;
  }
  forward(x: Tensor): Tensor {
    this.#log.push(this.#name);
    return scale(x, 2);
  }
}

describe("Sequential", () => {
  it("applies its layers one after the other in the order they are written", () => {
    const log: string[] = [];
    const model = new Sequential({ b: new Step("b", log), a: new Step("a", log), c: new Step("c", log) });
    expect(model.forward(tensor([1])).toArray()).toEqual([8]);
    expect(log).toEqual(["b", "a", "c"]);
    expect([...model.children().keys()]).toEqual(["b", "a", "c"]);
  });

  it("names its parameters by its layers, nested ones too", () => {
    const model = new Sequential({
      body: new Sequential({ hidden: new Linear(2, 3), relu: new ReLU() }),
      logits: new Linear(3, 2),
    });
    expect([...model.parameters().keys()]).toEqual([
      "body.hidden.weight",
      "body.hidden.bias",
      "logits.weight",
      "logits.bias",
    ]);
    expect([...model.features(tensor([[1, 2]])).features.keys()]).toEqual([
      "body.hidden",
      "body.relu",
      "body",
      "logits",
    ]);
  });

  it("shows a copy of its children: adding to it adds no layer", () => {
    const model = new Sequential({ relu: new ReLU() });
    model.children().set("more", new ReLU());
    expect([...model.children().keys()]).toEqual(["relu"]);
  });

  it("takes names 0, 1, … in that order", () => {
    const random = new RandomStream(1);
    const model = new Sequential({ 0: new Linear(1, 1, { random }), 1: new ReLU() });
    expect([...model.modules().keys()]).toEqual(["0", "1"]);
  });

  it.each([
    ["no layers", {}, "Sequential: expected at least one layer"],
    ["nothing", undefined, "Sequential: expected layers { name: layer, … }, got undefined"],
    ["a name with a dot", { "a.b": new ReLU() }, 'Sequential: a layer name must not hold a dot, got "a.b"'],
    [
      "whole-number names beside others, which JavaScript lists first",
      { hidden: new ReLU(), 1: new ReLU() },
      'Sequential: JavaScript lists whole-number names first, so "1" may not be where you wrote it; name all layers "0", "1", … or none',
    ],
    [
      "whole-number names with a gap",
      { 0: new ReLU(), 2: new ReLU() },
      'Sequential: JavaScript lists whole-number names first, so "2" may not be where you wrote it; name all layers "0", "1", … or none',
    ],
    ["what is no module", { hidden: {} as unknown as Module }, 'Sequential: layer "hidden" is not a Module'],
  ])("refuses %s", (_, layers, message) => {
    expect(() => new Sequential(layers as unknown as Record<string, Module>)).toThrow(
      new DistilgradError("model", message),
    );
  });
});
