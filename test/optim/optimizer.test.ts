import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear } from "../../src/nn/index.ts";
import { add, mul, scale, sum } from "../../src/ops/index.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  type GroupedParameters,
  Lion,
  Optimizer,
  type ParameterUpdate,
  RMSProp,
  SGD,
} from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";
import { bytesOf, oddFloats } from "../support/odd-floats.ts";
import { stepAlong } from "./formula.ts";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const named = (tensors: Record<string, Tensor>): Map<string, Tensor> => new Map(Object.entries(tensors));
const square = (w: Tensor): Tensor => sum(mul(w, w));

/** Each rule with the running values that it keeps. */
const rules: readonly [string, string[], (parameters: Map<string, Tensor>) => Optimizer][] = [
  ["SGD", ["v"], (parameters) => new SGD(parameters, { learningRate: 0.1, momentum: 0.9 })],
  ["Adagrad", ["s"], (parameters) => new Adagrad(parameters, { learningRate: 0.1, rateDecay: 0.1 })],
  [
    "RMSProp",
    ["v", "m", "u"],
    (parameters) => new RMSProp(parameters, { learningRate: 0.1, momentum: 0.9, centered: true }),
  ],
  ["Adam", ["m", "v"], (parameters) => new Adam(parameters, { learningRate: 0.1 })],
  ["AdamW", ["m", "v"], (parameters) => new AdamW(parameters, { learningRate: 0.1 })],
  ["Lion", ["m"], (parameters) => new Lion(parameters, { learningRate: 0.1 })],
];

describe.each(rules)("an optimizer such as %s", (rule, kinds, make) => {
  it("adds the gradients of several backwards into one step", () => {
    const [once, twice] = [leaf(1, 2), leaf(1, 2)];
    const [a, b] = [make(named({ w: once })), make(named({ w: twice }))];
    scale(sum(once), 2).backward();
    sum(twice).backward();
    sum(twice).backward();
    a.step();
    b.step();
    expect(twice.data).toEqual(once.data);
  });

  it("leaves a frozen parameter alone, with or without a gradient, and its memory too", () => {
    const [free, frozen] = [leaf(1), leaf(1)];
    const optimizer = make(named({ free, frozen }));
    frozen.requiresGrad = false;
    square(free).backward();
    optimizer.step();
    expect(free.item()).not.toBe(1);
    expect(frozen.item()).toBe(1);
    expect(optimizer.state().steps).toEqual(
      new Map([
        ["free", 1],
        ["frozen", 0],
      ]),
    );
  });

  it("names the parameters without a gradient and moves none", () => {
    const [a, b, c] = [leaf(1), leaf(1), leaf(1)];
    const optimizer = make(named({ a, b, c }));
    square(b).backward();
    expect(() => optimizer.step()).toThrow(
      new DistilgradError(
        "gradient",
        'step: no gradient for "a", "c"; call backward() on a loss that depends on them, or freeze them with requiresGrad = false',
      ),
    );
    expect([a.item(), b.item(), c.item()]).toEqual([1, 1, 1]);
    expect(optimizer.state().steps.get("b")).toBe(0);
  });

  it("wants zeroGrad before the next backward: a second step on the same gradients is an error that moves nothing", () => {
    const w = leaf(1);
    const optimizer = make(named({ w }));
    square(w).backward();
    optimizer.step();
    const after = w.item();
    square(w).backward();
    expect(() => optimizer.step()).toThrow(
      new DistilgradError(
        "gradient",
        "step: these gradients were used by the step before; call zeroGrad() before the next backward",
      ),
    );
    expect(w.item()).toBe(after);
    optimizer.zeroGrad();
    expect(w.grad).toBeNull();
    square(w).backward();
    optimizer.step();
    expect(w.item()).not.toBe(after);
  });

  it("counts its write as a change: a graph from before the step is refused", () => {
    const w = leaf(1);
    const optimizer = make(named({ w }));
    const stale = square(w);
    square(w).backward();
    optimizer.step();
    expect(() => stale.backward()).toThrow(
      new DistilgradError(
        "changed",
        "backward: operand 0 of mul was changed in place after the forward pass; go back before updating, or run the forward pass again",
      ),
    );
  });

  it("goes on from a saved state bit for bit, in another optimizer at another rate", () => {
    const train = (optimizer: Optimizer, w: Tensor, steps: number): void => {
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        square(w).backward();
        optimizer.step();
      }
    };
    const through = leaf(0.3, -1.7, 5);
    const whole = make(named({ w: through }));
    whole.learningRate = 0.03;
    train(whole, through, 5);
    const state = whole.state();
    const resumed = tensor(through.data, { requiresGrad: true });
    train(whole, through, 5);
    const other = make(named({ w: resumed }));
    other.restore(state);
    expect(other.learningRate).toBe(0.03);
    expect(state.rule).toBe(rule);
    expect(other.state()).toEqual(state);
    train(other, resumed, 5);
    expect(resumed.data).toEqual(through.data);
    expect(other.state()).toEqual(whole.state());
  });

  it.each([float32, float64])(
    "changes no weight with a rate of 0 and finite gradients, in $name: no denormal, and no sign of a 0",
    (kernels) => {
      // But −0 − (−0) is +0: a −0 keeps its sign as long as its step is not below 0.
      const gradients = [2, -0.3, -1, 1, 0, 7, -5, 1e-15, -1e15];
      const start = [0.3, -1.7, 0, -0, -0, ...oddFloats(kernels).subarray(4), 1e30, -1e-30];
      const w = tensor(start, { kernels, requiresGrad: true });
      const before = bytesOf(w.data.slice());
      const optimizer = make(named({ w }));
      optimizer.learningRate = 0;
      for (let t = 1; t <= 3; t++) {
        stepAlong(optimizer, w, gradients);
        expect(bytesOf(w.data)).toEqual(before);
      }
      expect(optimizer.state().steps.get("w")).toBe(3);
    },
  );

  it.each([float32, float64])(
    "brings back every bit of a state, in $name: payloads of NaN, −0 and denormals",
    (kernels) => {
      const odd = oddFloats(kernels);
      const w = tensor(new Array(odd.length).fill(1), { kernels, requiresGrad: true });
      const optimizer = make(named({ w }));
      const state = optimizer.state();
      optimizer.restore({
        ...state,
        buffers: new Map([...state.buffers.keys()].map((name) => [name, odd.slice()])),
      });
      expect(state.buffers.size).toBe(kinds.length);
      for (const values of optimizer.state().buffers.values()) expect(bytesOf(values)).toEqual(bytesOf(odd));
    },
  );

  it("gives its state as a copy that neither side can change for the other", () => {
    const w = leaf(1);
    const optimizer = make(named({ w }));
    const state = optimizer.state();
    square(w).backward();
    optimizer.step();
    for (const values of state.buffers.values()) expect([...values]).toEqual([0]);
    expect(state.steps.get("w")).toBe(0);
    const taken = optimizer.state();
    optimizer.restore(taken);
    for (const values of taken.buffers.values()) values.fill(77);
    for (const values of optimizer.state().buffers.values()) expect([...values]).not.toEqual([77]);
  });

  it("refuses a state of other parameters with everything that does not fit, and restores nothing", () => {
    const optimizer = make(named({ a: leaf(1), b: leaf(1, 2) }));
    const state = make(named({ b: leaf(1), c: leaf(1) })).state();
    const before = optimizer.state();
    const problems = [
      'missing parameter "a"',
      'unexpected parameter "c"',
      ...kinds.map((kind) => `missing buffer "${kind} a"`),
      ...kinds.map((kind) => `unexpected buffer "${kind} c"`),
      ...kinds.map((kind) => `buffer "${kind} b" holds 1 values instead of 2`),
    ];
    expect(() => optimizer.restore({ ...state, learningRate: 9 })).toThrow(
      new DistilgradError(
        "state",
        `restore: the state does not fit this optimizer: ${problems.join("; ")}; nothing was restored`,
      ),
    );
    expect(optimizer.state()).toEqual(before);
  });

  it("refuses a rate that is none when a state brings it, and restores nothing", () => {
    const w = leaf(1);
    const optimizer = make(named({ w }));
    const { buffers, ...state } = optimizer.state();
    const filled = new Map([...buffers].map(([name, values]) => [name, values.slice().fill(5)]));
    expect(() => optimizer.restore({ ...state, buffers: filled, learningRate: Number.NaN })).toThrow(
      new DistilgradError("value", "optimizer: learningRate must be a finite number of at least 0, got NaN"),
    );
    for (const values of optimizer.state().buffers.values()) expect([...values]).toEqual([0]);
  });

  it("refuses the same tensor under two names", () => {
    const w = leaf(1);
    expect(() => make(named({ first: w, second: w }))).toThrow(
      new DistilgradError("model", 'optimizer: "first" and "second" are the same tensor; pass it once'),
    );
  });

  it("refuses no parameters, a list without names, and a tensor that an op computed", () => {
    expect(() => make(new Map())).toThrow(
      new DistilgradError("value", "optimizer: expected at least one parameter"),
    );
    expect(() => make([leaf(1)] as unknown as Map<string, Tensor>)).toThrow(
      new DistilgradError(
        "value",
        "optimizer: expected parameters by name, as model.parameters() or a Map gives them",
      ),
    );
    expect(() => make(named({ y: scale(leaf(1), 2) }))).toThrow(
      new DistilgradError("model", 'optimizer: "y" was computed by an op; only leaves can be moved'),
    );
  });

  it("refuses a learning rate that is none when it is set", () => {
    const optimizer = make(named({ w: leaf(1) }));
    expect(() => {
      optimizer.learningRate = -0.5;
    }).toThrow(
      new DistilgradError("value", "optimizer: learningRate must be a finite number of at least 0, got -0.5"),
    );
    expect(optimizer.learningRate).toBe(0.1);
  });

  it("keeps its own list: what is added to the map later is not moved", () => {
    const parameters = named({ w: leaf(1) });
    const optimizer = make(parameters);
    parameters.set("late", leaf(1));
    expect([...optimizer.parameters.keys()]).toEqual(["w"]);
  });
});

describe("the state of one rule", () => {
  it("is refused by another, which says so", () => {
    const parameters = new Linear(1, 1, { bias: false, random: new RandomStream(1) }).parameters();
    const sgd = new SGD(parameters, { learningRate: 0.1 });
    expect(() => sgd.restore(new Adam(parameters).state())).toThrow(
      new DistilgradError(
        "state",
        'restore: the state does not fit this optimizer: it is of Adam, this is SGD; unexpected buffer "m weight"; unexpected buffer "v weight"; nothing was restored',
      ),
    );
  });
});

describe("a rule of one's own", () => {
  interface Options {
    readonly learningRate?: number;
    /** The largest move of a step, before the rate. */
    readonly limit?: number;
  }
  class Cut extends Optimizer<Options> {
    constructor(parameters: GroupedParameters<Options>, options: Options = {}) {
      const check = (name: string, value: number): void => {
        if (!(value > 0)) throw new RangeError(`${name} ${value}`);
      };
      super("Cut", parameters, options, { limit: [1, check] }, 0.5);
    }

    protected override start(): Record<string, number> {
      return { cuts: 0 };
    }

    protected override move({ w, g, running, settings, rate }: ParameterUpdate<Options>): void {
      for (let i = 0; i < w.length; i++) {
        if (Math.abs(g[i]) > settings.limit) running.cuts[i]++;
        w[i] -= rate * Math.max(-settings.limit, Math.min(settings.limit, g[i]));
      }
    }
  }

  it("has groups, running values, a state and messages as ours have", () => {
    const [a, b] = [leaf(1, 1), leaf(1)];
    const optimizer = new Cut([
      { parameters: named({ a }) },
      { parameters: named({ b }), limit: 4, learningRateFactor: 2 },
    ]);
    add(sum(mul(a, tensor([3, 0.5]))), scale(sum(b), -3)).backward();
    optimizer.step();
    expect([a.toArray(), b.toArray()]).toEqual([[0.5, 0.75], [4]]);
    expect([...optimizer.state().buffers].map(([name, values]) => [name, [...values]])).toEqual([
      ["cuts a", [1, 0]],
      ["cuts b", [0]],
    ]);
    expect(() => new Cut(named({ a }), { limit: -1 })).toThrow(new RangeError("limit -1"));
    expect(() => new Cut(named({ a }), { most: 1 } as Options)).toThrow(
      new DistilgradError("value", 'Cut: unknown option "most"; possible are learningRate, limit'),
    );
  });
});
