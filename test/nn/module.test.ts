import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { ones, tensor, zeros } from "../../src/factories.ts";
import { noGrad } from "../../src/graph.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  countParameters,
  Dropout,
  Linear,
  Module,
  Parameter,
  parametersOf,
  ReLU,
  Sequential,
} from "../../src/nn/index.ts";
import { add, relu } from "../../src/ops/index.ts";
import { manualSeed, RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const random = (): RandomStream => new RandomStream(1, "init");

/** Fields of every kind: a layer, an array of layers, a parameter, a trainable tensor, a buffer, and what is none. */
class Net extends Module {
  readonly hidden: Linear;
  readonly blocks: readonly Module[];
  readonly gain = new Parameter(ones([2]));
  readonly shift = zeros([2], { requiresGrad: true });
  readonly mean = tensor([5, 6]);
  readonly title = "net";
  readonly sizes = [1, 2];

  constructor(stream = random()) {
    super();
    this.hidden = new Linear(3, 2, { random: stream });
    this.blocks = [new ReLU(), new Linear(2, 2, { random: stream, bias: false })];
  }

  forward(x: Tensor): Tensor {
    let y = this.hidden.forward(x);
    for (const block of this.blocks) y = block.forward(y);
    return add(y, this.shift);
  }
}

/** A net inside a net, whose head is used twice. */
class Outer extends Module {
  readonly body = new Net();
  readonly head = new Linear(2, 2, { random: random() });

  forward(x: Tensor): Tensor {
    return this.head.forward(this.head.forward(this.body.forward(x)));
  }
}

const x = tensor([
  [1, 2, 3],
  [-1, 0.5, 2],
]);

describe("a module finds its parts in its fields", () => {
  it("lists children by field, those in arrays by index, and nothing else", () => {
    const net = new Net();
    expect([...net.children()]).toEqual([
      ["hidden", net.hidden],
      ["blocks.0", net.blocks[0]],
      ["blocks.1", net.blocks[1]],
    ]);
  });

  it("lists every module inside by dotted name", () => {
    expect([...new Outer().modules().keys()]).toEqual([
      "body",
      "body.hidden",
      "body.blocks.0",
      "body.blocks.1",
      "head",
    ]);
  });

  it("tells parameters from buffers: what requires a gradient, and what is a Parameter", () => {
    const net = new Net();
    expect([...net.parameters().keys()]).toEqual([
      "gain",
      "shift",
      "hidden.weight",
      "hidden.bias",
      "blocks.1.weight",
    ]);
    expect([...net.buffers().keys()]).toEqual(["mean"]);
    expect([...new Outer().parameters().keys()]).toEqual([
      "body.gain",
      "body.shift",
      "body.hidden.weight",
      "body.hidden.bias",
      "body.blocks.1.weight",
      "head.weight",
      "head.bias",
    ]);
  });

  it("keeps a frozen Parameter among the parameters", () => {
    const net = new Net();
    net.gain.requiresGrad = false;
    expect([...net.parameters().keys()]).toContain("gain");
    expect([...net.buffers().keys()]).not.toContain("gain");
  });

  it("lists what is shared once, under the name it has first", () => {
    class Tied extends Module {
      readonly first = new Linear(2, 2, { random: random() });
      readonly second = this.first;
      readonly weight = this.first.weight;
      forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x));
      }
    }
    const tied = new Tied();
    expect([...tied.modules().keys()]).toEqual(["first"]);
    expect([...tied.parameters().keys()]).toEqual(["weight", "first.bias"]);
    expect(countParameters(tied)).toBe(6);
  });

  it("lists the random streams it draws from, each once", () => {
    const shared = new RandomStream(1, "dropout");
    const net = new Sequential({
      a: new Dropout(0.1, { random: shared }),
      b: new Dropout(0.2, { random: shared }),
      c: new Dropout(0.3, { random: random() }),
    });
    expect([...net.streams().keys()]).toEqual(["a.random", "c.random"]);
    expect(net.streams().get("a.random")).toBe(shared);
    expect(new Net().streams().size).toBe(0);
  });

  it("ends where a module holds itself", () => {
    class Loop extends Module {
      readonly self: Module = this;
      readonly layer = new ReLU();
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    expect([...new Loop().modules().keys()]).toEqual(["layer"]);
    expect(new Loop().eval().training).toBe(false);
  });

  it("counts the numbers that are learned, and not the buffers", () => {
    expect(countParameters(new Net())).toBe(2 + 2 + 6 + 2 + 4);
    expect(countParameters(new ReLU())).toBe(0);
  });

  it("puts the parameters of several modules in one list under their names", () => {
    const [student, projection] = [new Net(), new Linear(2, 3, { random: random() })];
    const all = parametersOf({ student, projection });
    expect([...all.keys()]).toEqual([
      "student.gain",
      "student.shift",
      "student.hidden.weight",
      "student.hidden.bias",
      "student.blocks.1.weight",
      "projection.weight",
      "projection.bias",
    ]);
    expect(all.get("projection.bias")).toBe(projection.bias);
  });
});

describe("a parameter", () => {
  it("requires a gradient, copies the values it is made of, and leaves the tensor it is made of alone", () => {
    const values = tensor([1, 2], { kernels: float64 });
    const parameter = new Parameter(values);
    expect(parameter.requiresGrad).toBe(true);
    expect(parameter.data).toEqual(values.data);
    parameter.update((data) => data.fill(0));
    expect([...values.data]).toEqual([1, 2]);
    expect(parameter.kernels).toBe(float64);
    expect(values.requiresGrad).toBe(false);
  });
});

describe("stateDict and loadStateDict", () => {
  it("give a copy of parameters and buffers that neither side can change for the other", () => {
    const net = new Net();
    const state = net.stateDict();
    expect([...state.keys()]).toEqual([
      "gain",
      "shift",
      "hidden.weight",
      "hidden.bias",
      "blocks.1.weight",
      "mean",
    ]);
    net.gain.update((data) => data.fill(9));
    expect([...state.get("gain")!.data]).toEqual([1, 1]);
    expect(state.get("gain")!.requiresGrad).toBe(false);
    const other = new Net();
    other.loadStateDict(state);
    state.get("mean")!.update((data) => data.fill(-1));
    expect([...other.mean.data]).toEqual([5, 6]);
  });

  it("restore every value bit for bit: NaN payloads, −0 and denormals included", () => {
    const net = new Net();
    // A quiet NaN with a payload, −0, the smallest denormal, the largest number, −∞, 1.
    const words = Uint32Array.of(0x7fc12345, 0x80000000, 1, 0x7f7fffff, 0xff800000, 0x3f800000);
    net.hidden.weight.update((data) => data.set(new Float32Array(words.buffer)));
    const other = new Net();
    other.loadStateDict(net.stateDict());
    expect(new Uint32Array(other.hidden.weight.data.buffer)).toEqual(words);
  });

  it("count loading as a change, so that a backward that saved the old values says so", () => {
    const net = new Net();
    const y = net.forward(x);
    net.loadStateDict(net.stateDict());
    expect(() => y.backward(ones([2, 2]))).toThrow(
      new DistilgradError(
        "changed",
        "backward: operand 0 of broadcastTo was changed in place after the forward pass; go back before updating, or run the forward pass again",
      ),
    );
  });

  it("refuse a state that does not fit with all three lists, and load nothing", () => {
    const net = new Net();
    const before = net.stateDict();
    const state = new Map(new Net(new RandomStream(7)).stateDict());
    state.delete("gain");
    state.delete("mean");
    state.set("extra", zeros([1]));
    state.set("hidden.weight", zeros([3, 2]));
    state.set("hidden.bias", zeros([3]));
    expect(() => net.loadStateDict(state)).toThrow(
      new DistilgradError(
        "state",
        'loadStateDict: the state does not fit this model: missing "gain", "mean"; unexpected "extra"; "hidden.weight" is [3, 2] instead of [2, 3]; "hidden.bias" is [3] instead of [2]; nothing was loaded',
      ),
    );
    for (const [name, value] of net.stateDict()) expect(value.data).toEqual(before.get(name)!.data);
  });
});

describe("training and evaluation mode", () => {
  it("start with training, and reach every part", () => {
    const outer = new Outer();
    const all = (): boolean[] => [outer, ...outer.modules().values()].map(({ training }) => training);
    expect(all()).toEqual(Array(6).fill(true));
    expect(outer.eval()).toBe(outer);
    expect(all()).toEqual(Array(6).fill(false));
    expect(outer.train()).toBe(outer);
    expect(all()).toEqual(Array(6).fill(true));
  });

  it("come back as they were after inEvalMode, part by part, also when it throws", () => {
    const outer = new Outer();
    outer.body.eval();
    outer.body.blocks[0].train();
    const modes = (): boolean[] => [outer, ...outer.modules().values()].map(({ training }) => training);
    const before = modes();
    expect(new Set(before).size).toBe(2);
    expect(outer.inEvalMode(() => modes())).toEqual(Array(6).fill(false));
    expect(modes()).toEqual(before);
    expect(() =>
      outer.inEvalMode(() => {
        throw new RangeError("inside");
      }),
    ).toThrow(new RangeError("inside"));
    expect(modes()).toEqual(before);
  });
});

describe("features", () => {
  it("are the outputs of all named layers of a Sequential, in the order of the calls", () => {
    const model = new Sequential({
      hidden: new Linear(3, 4, { random: random() }),
      relu: new ReLU(),
      logits: new Linear(4, 2, { random: random() }),
    });
    const { logits, features } = model.features(x);
    expect([...features.keys()]).toEqual(["hidden", "relu", "logits"]);
    expect(features.get("relu")!.data).toEqual(relu(features.get("hidden")!).data);
    expect(features.get("logits")).toBe(logits);
    expect(logits.data).toEqual(model.forward(x).data);
  });

  it("come from a class with fields, nested and called twice, without a word in its code", () => {
    const model = new Outer();
    const { logits, features } = model.features(x);
    expect([...features.keys()]).toEqual([
      "body.hidden",
      "body.blocks.0",
      "body.blocks.1",
      "body",
      "head",
      "head#2",
    ]);
    expect(features.get("head#2")).toBe(logits);
    expect(features.get("head")!.data).toEqual(model.head.forward(features.get("body")!).data);
    expect(logits.data).toEqual(model.forward(x).data);
  });

  it("carry gradients to the parameters before them, and only to those", () => {
    const model = new Outer();
    const { features } = model.features(x);
    features.get("body.hidden")!.backward(ones([2, 2]));
    expect(model.body.hidden.weight.grad).not.toBeNull();
    expect(model.head.weight.grad).toBeNull();
  });

  it("need no graph", () => {
    const { logits, features } = noGrad(() => new Outer().features(x));
    expect([logits, ...features.values()].some(({ requiresGrad }) => requiresGrad)).toBe(false);
  });

  it("are watched on a forward that is a field, which is itself again afterwards", () => {
    class Arrow extends Module {
      override forward = (x: Tensor): Tensor => relu(x);
    }
    class Holder extends Module {
      readonly inner = new Arrow();
      forward(x: Tensor): Tensor {
        return this.inner.forward(x);
      }
    }
    const holder = new Holder();
    const { forward } = holder.inner;
    const before = Object.getOwnPropertyDescriptor(holder.inner, "forward");
    expect([...holder.features(x).features.keys()]).toEqual(["inner"]);
    expect(holder.inner.forward).toBe(forward);
    expect(Object.getOwnPropertyDescriptor(holder.inner, "forward")).toEqual(before);
  });

  it("leave no trace on a forward that a class has, also after a throw", () => {
    class Faulty extends Module {
      readonly layer = new ReLU();
      forward(x: Tensor): Tensor {
        this.layer.forward(x);
        throw new RangeError("in the forward pass");
      }
    }
    const faulty = new Faulty();
    expect(() => faulty.features(x)).toThrow(new RangeError("in the forward pass"));
    expect(Object.hasOwn(faulty.layer, "forward")).toBe(false);
    const model = new Outer();
    model.features(x);
    for (const module of model.modules().values()) expect(Object.hasOwn(module, "forward")).toBe(false);
  });

  it("do not change what a pass draws", () => {
    const stream = new RandomStream(3, "dropout");
    const model = new Sequential({ drop: new Dropout(0.5, { random: stream }), relu: new ReLU() });
    const start = stream.state();
    const plain = model.forward(x);
    const end = stream.state();
    stream.restore(start);
    expect(model.features(x).logits.data).toEqual(plain.data);
    expect(stream.state()).toEqual(end);
  });
});

describe("how layers start", () => {
  it("differs between two layers of the same size, for none shares a stream's numbers", () => {
    const [a, b] = [new Linear(4, 4), new Linear(4, 4)];
    expect(a.weight.data).not.toEqual(b.weight.data);
    expect(a.bias!.data).not.toEqual(b.bias!.data);
  });

  it("repeats after manualSeed, and not after another seed", () => {
    const start = (seed: number): unknown => {
      manualSeed(seed);
      return new Linear(4, 4).weight.toArray();
    };
    const first = start(5);
    expect(start(5)).toEqual(first);
    expect(start(6)).not.toEqual(first);
  });

  it("hands out its state in the order of stateDict, the tensors themselves, frozen ones among the parameters", () => {
    class Net extends Module {
      offset = tensor([1]);
      layer = new Linear(2, 1);
      forward(x: Tensor): Tensor {
        return this.layer.forward(x);
      }
    }
    const net = new Net();
    net.layer.bias!.requiresGrad = false;
    const tensors = net.stateTensors();
    expect([...tensors.keys()]).toEqual(["layer.weight", "layer.bias", "offset"]);
    expect([...net.stateDict().keys()]).toEqual([...tensors.keys()]);
    expect(tensors.get("layer.bias")).toBe(net.layer.bias);
  });
});
