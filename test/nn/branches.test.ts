import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor } from "../../src/factories.ts";
import {
  Branches,
  type BranchesOptions,
  Flatten,
  Linear,
  type Module,
  ReLU,
  Reshape,
} from "../../src/nn/index.ts";
import { concat } from "../../src/ops/concat.ts";
import { RandomStream } from "../../src/random.ts";

const random = new RandomStream(1);
const x = tensor([
  [1, -2],
  [3, 0.5],
]);

describe("Branches", () => {
  it("gives the same input to every layer and concatenates their columns in the order they are written", () => {
    const [b, a] = [new Linear(2, 3, { random }), new Linear(2, 1, { random })];
    const model = new Branches({ b, a, skip: new Flatten() });
    expect(model.forward(x).shape).toEqual([2, 6]);
    expect(model.forward(x).data).toEqual(concat([b.forward(x), a.forward(x), x], 1).data);
    expect([...model.parameters().keys()]).toEqual(["b.weight", "b.bias", "a.weight", "a.bias"]);
    expect([...model.features(x).features.keys()]).toEqual(["b", "a", "skip"]);
  });

  it("concatenates along the axis that it is told", () => {
    const layers = { one: new Reshape([1, 2]), two: new Reshape([1, 2]) };
    expect(new Branches(layers).forward(x).shape).toEqual([2, 2, 2]);
    expect(new Branches(layers, { axis: -1 }).forward(x).shape).toEqual([2, 1, 4]);
    expect(new Branches(layers, { axis: undefined }).axis).toBe(1);
  });

  it("sums the gradients of all its layers in their input", () => {
    const input = ones([1, 2], { requiresGrad: true });
    const model = new Branches({ one: new Flatten(), two: new ReLU(), three: new Flatten() });
    model.forward(input).backward(tensor([[1, 2, 10, 20, 100, 200]]));
    expect(input.grad!.toArray()).toEqual([[111, 222]]);
  });

  it("shows a copy of its children", () => {
    const model = new Branches({ relu: new ReLU() });
    model.children().set("more", new ReLU());
    expect([...model.children().keys()]).toEqual(["relu"]);
  });

  it.each<[code: DistilgradError["code"], call: () => unknown, message: string]>([
    ["model", () => new Branches({}), "Branches: expected at least one layer"],
    [
      "model",
      () => new Branches(undefined as unknown as Record<string, Module>),
      "Branches: expected layers { name: layer, … }, got undefined",
    ],
    [
      "model",
      () => new Branches({ "a.b": new ReLU() }),
      'Branches: a layer name must not hold a dot, got "a.b"',
    ],
    [
      "model",
      () => new Branches({ wide: new ReLU(), 1: new ReLU() }),
      'Branches: JavaScript lists whole-number names first, so "1" may not be where you wrote it; name all layers "0", "1", … or none',
    ],
    ["model", () => new Branches({ wide: 3 as unknown as Module }), 'Branches: layer "wide" is not a Module'],
    [
      "value",
      () => new Branches({ relu: new ReLU() }, { axis: 0.5 }),
      "Branches: axis must be a whole number, got 0.5",
    ],
    [
      "value",
      () => new Branches({ relu: new ReLU() }, { dim: 1 } as BranchesOptions),
      'Branches: unknown option "dim"; possible are axis',
    ],
    [
      "shape",
      () => new Branches({ all: new ReLU(), rows: new Reshape([1, 2]) }).forward(x),
      "concat: expected equal sizes but along axis 1, got [2, 2] and, as tensor 1, [2, 1, 2]",
    ],
  ])("refuses what does not go together: %#", (code, call, message) => {
    expect(call).toThrow(new DistilgradError(code, message));
  });
});
