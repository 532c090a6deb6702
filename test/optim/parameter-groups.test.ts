import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { mul, sum } from "../../src/ops/index.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  cosine,
  LearningRate,
  Lion,
  type Optimizer,
  type ParameterGroup,
  RMSProp,
  SGD,
} from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor.ts";

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });
const named = (tensors: Record<string, Tensor>): Map<string, Tensor> => new Map(Object.entries(tensors));

/** Five steps down Σ w² of all parameters, the last ones after a change of the rate. */
function descend(optimizer: Optimizer): number[][] {
  for (let t = 0; t < 5; t++) {
    if (t === 3) optimizer.learningRate *= 0.5;
    optimizer.zeroGrad();
    for (const w of optimizer.parameters.values()) if (w.requiresGrad) sum(mul(w, w)).backward();
    optimizer.step();
  }
  return [...optimizer.parameters.values()].map(({ data }) => [...data]);
}

type Named = Map<string, Tensor>;
/** How a rule is made with a rate and further settings, and settings that it can have. */
const rules: readonly [
  string,
  object,
  object,
  (
    parameters: Named | ParameterGroup<{ weightDecay?: number }>[],
    rate: number,
    settings?: object,
  ) => Optimizer,
][] = [
  [
    "SGD",
    { momentum: 0.9, weightDecay: 0.1 },
    { nesterov: true },
    (parameters, learningRate, settings) => new SGD(parameters, { learningRate, ...settings }),
  ],
  [
    "Adagrad",
    { initialAccumulator: 0.5, weightDecay: 0.1 },
    { rateDecay: 0.2 },
    (parameters, learningRate, settings) => new Adagrad(parameters, { learningRate, ...settings }),
  ],
  [
    "RMSProp",
    { momentum: 0.9, smoothing: 0.9 },
    { centered: true },
    (parameters, learningRate, settings) => new RMSProp(parameters, { learningRate, ...settings }),
  ],
  [
    "Adam",
    { beta1: 0.8, weightDecay: 0.1 },
    { beta2: 0.9, epsilon: 1e-3 },
    (parameters, learningRate, settings) => new Adam(parameters, { learningRate, ...settings }),
  ],
  [
    "AdamW",
    { beta1: 0.8, weightDecay: 0.5 },
    { beta2: 0.9, epsilon: 1e-3 },
    (parameters, learningRate, settings) => new AdamW(parameters, { learningRate, ...settings }),
  ],
  [
    "Lion",
    { beta1: 0.8, weightDecay: 0.5 },
    { beta2: 0.5 },
    (parameters, learningRate, settings) => new Lion(parameters, { learningRate, ...settings }),
  ],
];

describe.each(rules)("groups of %s", (_, common, own, make) => {
  it("move as optimizers of their own would: with their settings, else the optimizer's, and their share of the rate", () => {
    const grouped = make(
      [
        { parameters: named({ a: leaf(1, -2), b: leaf(3) }) },
        { parameters: named({ c: leaf(0.5) }), learningRateFactor: 0.25, ...own },
        { parameters: named({ d: leaf(-4) }), weightDecay: 0.01, learningRateFactor: 1 },
      ],
      0.1,
      common,
    );
    expect([...grouped.parameters.keys()]).toEqual(["a", "b", "c", "d"]);
    expect(descend(grouped)).toEqual([
      ...descend(make(named({ a: leaf(1, -2), b: leaf(3) }), 0.1, common)),
      ...descend(make(named({ c: leaf(0.5) }), 0.025, { ...common, ...own })),
      ...descend(make(named({ d: leaf(-4) }), 0.1, { ...common, weightDecay: 0.01 })),
    ]);
    expect(grouped.learningRate).toBe(0.05);
  });

  it("are one group when there is one, bit for bit", () => {
    expect(descend(make([{ parameters: named({ a: leaf(1, -2) }) }], 0.1, common))).toEqual(
      descend(make(named({ a: leaf(1, -2) }), 0.1, common)),
    );
  });

  it("go on from a state that does not know them", () => {
    const setup = (): Optimizer =>
      make(
        [{ parameters: named({ a: leaf(1) }) }, { parameters: named({ b: leaf(1) }), ...own }],
        0.1,
        common,
      );
    const [whole, resumed] = [setup(), setup()];
    descend(whole);
    resumed.restore(whole.state());
    for (const [name, w] of resumed.parameters) {
      w.update((data) => data.set(whole.parameters.get(name)!.data));
    }
    expect(resumed.state()).toEqual(whole.state());
    expect(descend(resumed)).toEqual(descend(whole));
  });
});

describe("parameter groups", () => {
  it("stand still with the factor 0, and are moved by schedules together", () => {
    const optimizer = new SGD(
      [
        { parameters: named({ a: leaf(0) }) },
        { parameters: named({ b: leaf(0) }), learningRateFactor: 0 },
        { parameters: named({ c: leaf(0) }), learningRateFactor: 2 },
      ],
      { learningRate: 1 },
    );
    const schedule = new LearningRate(optimizer, cosine({ steps: 2 }));
    const seen: number[][] = [];
    for (let t = 0; t < 3; t++) {
      optimizer.zeroGrad();
      for (const w of optimizer.parameters.values()) sum(w).backward();
      optimizer.step();
      schedule.step();
      seen.push([...optimizer.parameters.values()].map((w) => w.item()));
    }
    expect(seen).toEqual([
      [-1, 0, -2],
      [-1.5, 0, -3],
      [-1.5, 0, -3],
    ]);
  });

  it("keep only the running values that their settings ask for", () => {
    const optimizer = new SGD(
      [{ parameters: named({ a: leaf(0) }), momentum: 0.5 }, { parameters: named({ b: leaf(0) }) }],
      { learningRate: 1 },
    );
    expect([...optimizer.state().buffers.keys()]).toEqual(["v a"]);
  });

  it("take the usual split of a model: weights decay, biases do not", () => {
    const model = new Sequential({ hidden: new Linear(2, 3), logits: new Linear(3, 2) });
    const [weights, biases] = [2, 1].map(
      (rank) => new Map([...model.parameters()].filter(([, { shape }]) => shape.length === rank)),
    );
    const optimizer = new AdamW([{ parameters: weights }, { parameters: biases, weightDecay: 0 }], {
      weightDecay: 0.1,
      learningRate: 1,
    });
    const before = model.stateDict();
    for (const w of model.parameters().values()) mul(sum(w), tensor(0)).backward();
    optimizer.step();
    for (const [name, { data }] of model.parameters()) {
      const factor = name.endsWith("weight") ? Math.fround(0.9) : 1;
      expect(data, name).toEqual(before.get(name)!.data.map((w) => factor * w));
    }
  });

  const w = leaf(1);
  it.each<[string, unknown, "value" | "model", string]>([
    ["an empty list", [], "value", "optimizer: expected at least one parameter"],
    [
      "groups without parameters",
      [{ parameters: new Map() }],
      "value",
      "optimizer: expected at least one parameter",
    ],
    [
      "a group that is none",
      [null],
      "value",
      "optimizer: expected parameters by name, as model.parameters() or a Map gives them",
    ],
    [
      "a list of maps",
      [named({ w })],
      "value",
      "optimizer: expected parameters by name, as model.parameters() or a Map gives them",
    ],
    [
      "an unknown setting",
      [{ parameters: named({ w }), betas: [0.9, 0.99] }],
      "value",
      'Adam: unknown option "betas"; possible are parameters, learningRateFactor, beta1, beta2, epsilon, weightDecay',
    ],
    [
      "a rate of a group's own",
      [{ parameters: named({ w }), learningRate: 1 }],
      "value",
      'Adam: unknown option "learningRate"; possible are parameters, learningRateFactor, beta1, beta2, epsilon, weightDecay',
    ],
    [
      "a wrong setting",
      [{ parameters: named({ w }), beta1: 2 }],
      "value",
      "optimizer: beta1 must be in [0, 1), got 2",
    ],
    [
      "a wrong factor",
      [{ parameters: named({ w }), learningRateFactor: -1 }],
      "value",
      "optimizer: learningRateFactor must be a finite number of at least 0, got -1",
    ],
    [
      "a parameter in two groups",
      [{ parameters: named({ w }) }, { parameters: named({ w }) }],
      "model",
      'optimizer: "w" and "w" are the same tensor; pass it once',
    ],
    [
      "a parameter in two groups under two names",
      [{ parameters: named({ w }) }, { parameters: named({ v: w }) }],
      "model",
      'optimizer: "w" and "v" are the same tensor; pass it once',
    ],
    [
      "a name in two groups",
      [{ parameters: named({ w }) }, { parameters: named({ w: leaf(1) }) }],
      "model",
      'optimizer: two groups have a parameter "w"; names must differ',
    ],
  ])("are refused in one sentence: %s", (_, groups, code, message) => {
    expect(() => new Adam(groups as ParameterGroup<object>[])).toThrow(new DistilgradError(code, message));
  });

  it("must make sense group by group: Nesterov needs momentum where it is on", () => {
    const parameters = named({ w: leaf(1) });
    expect(
      () => new SGD([{ parameters, momentum: 0 }], { learningRate: 1, momentum: 0.9, nesterov: true }),
    ).toThrow(new DistilgradError("value", "optimizer: nesterov needs a momentum above 0"));
    expect(() => new SGD([{ parameters, momentum: 0.9 }], { learningRate: 1, nesterov: true })).not.toThrow();
    expect(() => new SGD(parameters, { learningRate: 1, nesterov: 1 as unknown as boolean })).toThrow(
      new DistilgradError("value", "optimizer: nesterov must be true or false, got 1"),
    );
  });
});
