import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import { float32 } from "../../src/kernels/float32.ts";
import { float64 } from "../../src/kernels/float64.ts";
import type { Kernels } from "../../src/kernels/kernels.ts";
import { Linear, Module, Parameter } from "../../src/nn/index.ts";
import { mul, sum } from "../../src/ops/index.ts";
import { Adam, ExponentialMovingAverage, type ExponentialMovingAverageState } from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor.ts";
import { bytesOf, oddFloats } from "../support/odd-floats.ts";

/** Two weights, and a buffer such as running statistics are. */
class Scaled extends Module {
  readonly weight: Parameter;
  readonly running: Tensor;

  constructor(kernels: Kernels = float32) {
    super();
    this.weight = new Parameter(tensor([1, -2], { kernels }));
    this.running = tensor([5], { kernels });
  }

  forward(x: Tensor): Tensor {
    return mul(x, this.weight);
  }

  set(...weights: number[]): void {
    this.weight.update((data) => data.set(weights));
  }
}

const averageOf = (average: ExponentialMovingAverage): number[] => [
  ...average.stateDict().get("weight")!.data,
];

describe("ExponentialMovingAverage", () => {
  it("is the weights before the first update, and the weights of the first update after it", () => {
    const model = new Scaled();
    const average = new ExponentialMovingAverage(model);
    expect(averageOf(average)).toEqual([1, -2]);
    model.set(3, 7);
    expect(averageOf(average)).toEqual([1, -2]);
    average.update();
    expect(averageOf(average)).toEqual([3, 7]);
  });

  it.each([float32, float64])(
    "warms up as a plain mean, then decays: θ̄ ← a θ̄ + (1 − a) θ in $name",
    (kernels) => {
      const model = new Scaled(kernels);
      const average = new ExponentialMovingAverage(model, { decay: 0.75 });
      const seen: number[] = [];
      let expected = 0;
      for (const [n, weight] of [8, 4, 0, 16, 12, -4, 2].entries()) {
        model.set(weight, 0);
        average.update();
        seen.push(weight);
        const a = Math.min(1 - 1 / (n + 1), 0.75);
        expected = a * expected + (1 - a) * weight;
        // 1 − 1/(n + 1) reaches the decay of ¾ at the fourth update.
        const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
        if (n < 4) expect(averageOf(average)[0]).toBeCloseTo(mean, 6);
        else expect(Math.abs(averageOf(average)[0] - mean)).toBeGreaterThan(0.01);
        // Float64 inside, one rounding at the end; three roundings an update before.
        const unit = kernels === float32 ? 2 ** -24 : 2 ** -53;
        expect(Math.abs(averageOf(average)[0] - expected)).toBeLessThanOrEqual(16 * (unit + 21 * 2 ** -53));
      }
    },
  );

  it("with the decay 0 is always the weights, and looks back far by default", () => {
    const model = new Scaled();
    const [none, far] = [
      new ExponentialMovingAverage(model, { decay: 0 }),
      new ExponentialMovingAverage(model),
    ];
    for (let n = 0; n < 2000; n++) {
      model.set(n % 2, 0);
      for (const average of [none, far]) average.update();
    }
    expect(averageOf(none)).toEqual([1, 0]);
    // The last step counts (1 − 0.999) of the whole.
    expect(averageOf(far)[0]).toBeCloseTo(0.5, 3);
  });

  it("loses no small step: in float32 a thousandth of a unit in the last place would round to nothing", () => {
    const model = new Scaled();
    const average = new ExponentialMovingAverage(model, { decay: 0.999 });
    model.set(1, 0);
    for (let n = 0; n < 1000; n++) average.update();
    model.set(1 + 2 ** -20, 0);
    for (let n = 0; n < 5000; n++) average.update();
    // The distance has shrunk by 0.999⁵⁰⁰⁰ < 0.7 %, which is less than half a unit, 2⁻²⁴.
    expect(averageOf(average)[0]).toBe(1 + 2 ** -20);
  });

  it("leaves buffers as the model has them: copied, not averaged", () => {
    const model = new Scaled();
    const average = new ExponentialMovingAverage(model, { decay: 0.5 });
    average.update();
    model.running.update((data) => data.fill(9));
    average.update();
    expect(average.stateDict().get("running")!.toArray()).toEqual([9]);
  });

  it("gives a state dict that is a copy, and that a model of the same shape takes", () => {
    const [model, other] = [new Scaled(), new Scaled()];
    const average = new ExponentialMovingAverage(model);
    model.set(3, 4);
    average.update();
    other.loadStateDict(average.stateDict());
    expect(other.weight.toArray()).toEqual([3, 4]);
    average
      .stateDict()
      .get("weight")!
      .update((data) => data.fill(0));
    expect(averageOf(average)).toEqual([3, 4]);
    expect(model.weight.toArray()).toEqual([3, 4]);
  });

  it("averages a frozen parameter too, which stays what it is", () => {
    const model = new Scaled();
    const average = new ExponentialMovingAverage(model, { decay: 0.9 });
    model.weight.requiresGrad = false;
    model.set(3, 4);
    for (let n = 0; n < 50; n++) average.update();
    expect(averageOf(average)).toEqual([3, 4]);
    expect(model.weight.toArray()).toEqual([3, 4]);
  });
});

describe("withAverage", () => {
  const setup = () => {
    const model = new Scaled();
    const average = new ExponentialMovingAverage(model);
    average.update();
    model.set(3, 4);
    return { model, average };
  };

  it("computes with the averages and puts the weights back", () => {
    const { model, average } = setup();
    expect(average.withAverage(() => model.forward(tensor([1, 1])).toArray())).toEqual([1, -2]);
    expect(model.weight.toArray()).toEqual([3, 4]);
  });

  it("puts weights and buffers back when it throws", () => {
    const { model, average } = setup();
    const failing = (): never => {
      model.running.update((data) => data.fill(0));
      throw new RangeError("stop");
    };
    expect(() => average.withAverage(failing)).toThrow(new RangeError("stop"));
    expect([model.weight.toArray(), model.running.toArray()]).toEqual([[3, 4], [5]]);
  });

  it("leaves no trace in training: the average, the weights and the optimizer go on bit for bit", () => {
    const train = (looks: boolean): unknown[] => {
      const model = new Scaled();
      const average = new ExponentialMovingAverage(model, { decay: 0.6 });
      const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
      for (let n = 0; n < 5; n++) {
        optimizer.zeroGrad();
        sum(mul(model.forward(tensor([n - 1.5, 0.3])), model.weight)).backward();
        optimizer.step();
        average.update();
        const before = average.state();
        if (looks) average.withAverage(() => model.forward(tensor([1, 1])));
        expect(average.state()).toEqual(before);
      }
      return [model.stateDict(), average.state(), optimizer.state()];
    };
    expect(train(true)).toEqual(train(false));
  });

  it("counts as a change of the weights: a graph from before is refused", () => {
    const { model, average } = setup();
    const stale = sum(model.forward(tensor([1, 1], { requiresGrad: true })));
    average.withAverage(() => 1);
    expect(() => stale.backward()).toThrow(
      new DistilgradError(
        "changed",
        "backward: operand 1 of mul was changed in place after the forward pass; go back before updating, or run the forward pass again",
      ),
    );
  });

  it("refuses what is not a function, or async, with the weights put back", () => {
    const { model, average } = setup();
    expect(() => average.withAverage(5 as unknown as () => number)).toThrow(
      new DistilgradError("value", "withAverage: expected a function, got 5"),
    );
    for (const late of [async () => 1, () => Promise.reject(new RangeError("late"))]) {
      expect(() => average.withAverage(late)).toThrow(
        new DistilgradError(
          "value",
          "withAverage: expected a synchronous function, got one that returns a promise; await before it, and hand in what is left",
        ),
      );
    }
    expect(model.weight.toArray()).toEqual([3, 4]);
  });
});

describe("the state of an average", () => {
  it("goes on bit for bit in another, and is a copy", () => {
    const [model, twin] = [new Scaled(), new Scaled()];
    const [whole, resumed] = [model, twin].map((m) => new ExponentialMovingAverage(m, { decay: 0.6 }));
    const train = (average: ExponentialMovingAverage, of: Scaled, from: number): void => {
      for (let n = from; n < from + 5; n++) {
        of.set(1 / (n + 1), Math.fround(n * 0.1));
        average.update();
      }
    };
    train(whole, model, 0);
    const state = whole.state();
    train(whole, model, 5);
    resumed.restore(state);
    expect(resumed.state()).toEqual(state);
    train(resumed, twin, 5);
    expect(resumed.state()).toEqual(whole.state());
    expect(state.updates).toBe(5);
    state.averages.get("weight")!.fill(77);
    expect([...resumed.state().averages.get("weight")!]).not.toContain(77);
  });

  it("comes back to the bit: payloads of NaN, −0 and denormals", () => {
    const odd = oddFloats(float64);
    const average = new ExponentialMovingAverage(new Linear(odd.length, 1, { bias: false }));
    average.restore({ updates: 3, averages: new Map([["weight", odd.slice()]]) });
    const { updates, averages } = average.state();
    expect(updates).toBe(3);
    expect(bytesOf(averages.get("weight")!)).toEqual(bytesOf(odd));
  });

  const { averages } = new ExponentialMovingAverage(new Scaled()).state();
  it.each<[string, unknown, "state" | "value", string]>([
    [
      "of another model",
      { updates: 1, averages: new Map([["bias", Float64Array.of(1)]]) },
      "state",
      'restore: the state does not fit this average: missing average "weight"; unexpected average "bias"; nothing was restored',
    ],
    [
      "of another size",
      { updates: 1, averages: new Map([["weight", Float64Array.of(1)]]) },
      "state",
      'restore: the state does not fit this average: average "weight" holds 1 values instead of 2; nothing was restored',
    ],
    [
      "in another precision, with half an update",
      { updates: 0.5, averages: new Map([["weight", Float32Array.of(1, 2)]]) },
      "state",
      'restore: the state does not fit this average: average "weight" is a Float32Array instead of a Float64Array; it has taken 0.5 updates; nothing was restored',
    ],
    ["without averages", { updates: 1 }, "value", "restore: expected averages, a Map, got undefined"],
    ["that is none", null, "value", "restore: expected { updates, averages }, got null"],
    [
      "with more in it",
      { updates: 1, averages, decay: 0.9 },
      "value",
      'restore: unknown option "decay"; possible are updates, averages',
    ],
  ])("is refused %s, and nothing is restored", (_, state, code, message) => {
    const average = new ExponentialMovingAverage(new Scaled());
    const before = average.state();
    expect(() => average.restore(state as ExponentialMovingAverageState)).toThrow(
      new DistilgradError(code, message),
    );
    expect(average.state()).toEqual(before);
  });
});

describe("ExponentialMovingAverage refuses", () => {
  it.each<[string, () => unknown, string]>([
    [
      "what has no weights",
      () => new ExponentialMovingAverage({} as Module),
      "ExponentialMovingAverage: expected a Module whose weights it averages, got an object",
    ],
    ...[1, -0.1, Number.NaN].map((decay): [string, () => unknown, string] => [
      `the decay ${decay}`,
      () => new ExponentialMovingAverage(new Scaled(), { decay }),
      `ExponentialMovingAverage: decay must be in [0, 1), got ${decay}`,
    ]),
    [
      "an unknown option",
      () => new ExponentialMovingAverage(new Scaled(), { momentum: 0.9 } as object),
      'ExponentialMovingAverage: unknown option "momentum"; possible are decay',
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(new DistilgradError("value", message));
  });
});
