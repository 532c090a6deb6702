import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear, Module, ReLU, Residual, type ResidualOptions, Sequential } from "../../src/nn/index.ts";
import { add } from "../../src/ops/add.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const random = new RandomStream(1);
const x = tensor([
  [1, -2],
  [3, 0.5],
]);

describe("Residual", () => {
  it("adds its input to what the body makes of it", () => {
    const body = new Sequential({
      hidden: new Linear(2, 3, { random }),
      relu: new ReLU(),
      out: new Linear(3, 2),
    });
    expect(new Residual(body).forward(x).data).toEqual(add(x, body.forward(x)).data);
  });

  it("adds a shortcut of its input where it has one", () => {
    const [body, shortcut] = [new Linear(2, 5, { random }), new Linear(2, 5, { random, bias: false })];
    const y = new Residual(body, { shortcut }).forward(x);
    expect(y.data).toEqual(add(shortcut.forward(x), body.forward(x)).data);
  });

  it("is its input where the body gives zeros", () => {
    const body = new Linear(2, 2, { init: zeros, bias: false });
    expect(new Residual(body).forward(x).data).toEqual(x.data);
  });

  it("sums the gradients of both ways", () => {
    const body = new Linear(1, 1, { bias: false });
    body.weight.update((data) => data.fill(4));
    const input = tensor([[3]], { requiresGrad: true });
    new Residual(body).forward(input).backward(tensor([[1]]));
    expect(input.grad!.item()).toBe(5);
    expect(body.weight.grad!.item()).toBe(3);
  });

  it("names its parts body and shortcut", () => {
    const body = new Sequential({ hidden: new Linear(2, 3), out: new Linear(3, 4) });
    const names = (module: Module): string[] => [...module.stateDict().keys()];
    expect(names(new Residual(body, { shortcut: new Linear(2, 4, { bias: false }) }))).toEqual([
      "body.hidden.weight",
      "body.hidden.bias",
      "body.out.weight",
      "body.out.bias",
      "shortcut.weight",
    ]);
    expect(names(new Residual(new Linear(2, 2)))).toEqual(["body.weight", "body.bias"]);
  });

  it("takes both parts along into evaluation mode", () => {
    const model = new Residual(new Linear(2, 2), { shortcut: new Linear(2, 2) }).eval();
    expect([model.body.training, model.shortcut!.training]).toEqual([false, false]);
  });

  /** Forgets to return. */
  class Silent extends Module {
    forward(_: Tensor): Tensor {
      return undefined as unknown as Tensor;
    }
  }

  it.each<[code: DistilgradError["code"], call: () => unknown, message: string]>([
    [
      "shape",
      () => new Residual(new Linear(2, 3)).forward(x),
      "Residual: body gives [2, 3] and x is [2, 2]; bring x to the body's shape by a shortcut, such as a Linear or a 1×1 convolution",
    ],
    [
      "shape",
      () => new Residual(new Linear(2, 1), { shortcut: new Linear(2, 3) }).forward(x),
      "Residual: body gives [2, 1] and shortcut gives [2, 3]; bring x to the body's shape by a shortcut, such as a Linear or a 1×1 convolution",
    ],
    [
      "value",
      () => new Residual(((y: Tensor) => y) as unknown as Module),
      "Residual: expected body, a Module, got a function",
    ],
    [
      "value",
      () => new Residual(new ReLU(), { shortcut: 3 } as unknown as ResidualOptions),
      "Residual: expected shortcut, a Module, got 3",
    ],
    [
      "value",
      () => new Residual(new ReLU(), new ReLU() as unknown as ResidualOptions),
      "Residual: expected { shortcut }, got a ReLU",
    ],
    [
      "value",
      () => new Residual(new Silent()).forward(x),
      "Residual: operand 1 must be a tensor, got undefined; wrap it in tensor(…)",
    ],
    [
      "kernels",
      () =>
        new Residual(new ReLU(), { shortcut: new Linear(2, 2) }).forward(ones([1, 2], { kernels: float64 })),
      "linear: operands live in two kernel sets, float64 and float32; make both with the same",
    ],
  ])("refuses what does not go together: %#", (code, call, message) => {
    expect(call).toThrow(new DistilgradError(code, message));
  });
});
