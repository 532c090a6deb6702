/** What would be lost or half done without a word. */
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { tensor } from "../../src/factories.ts";
import type { Floats } from "../../src/kernels/kernels.ts";
import { Linear } from "../../src/nn/index.ts";
import { mean } from "../../src/ops/mean.ts";
import { Adam, ExponentialMovingAverage } from "../../src/optim/index.ts";

const hole = undefined as unknown as Floats;

describe("a state with a hole", () => {
  it("is refused by an optimizer, which stays as it was", () => {
    const optimizer = new Adam(new Linear(2, 1).parameters());
    const state = optimizer.state();
    const buffers = new Map(state.buffers).set("v weight", hole);
    expect(() => optimizer.restore({ ...state, learningRate: 7, buffers })).toThrow(
      new DistilgradError(
        "state",
        'restore: the state does not fit this optimizer: buffer "v weight" is undefined instead of a Float32Array; nothing was restored',
      ),
    );
    expect(optimizer.state()).toEqual(state);
  });

  it("is refused by an average, which stays as it was", () => {
    const average = new ExponentialMovingAverage(new Linear(2, 1));
    const state = average.state();
    const averages = new Map([...state.averages].map(([name, values]) => [name, values.map(() => 9)]));
    averages.set("bias", undefined as never);
    expect(() => average.restore({ updates: 7, averages })).toThrow(
      new DistilgradError(
        "state",
        'restore: the state does not fit this average: average "bias" is undefined instead of a Float64Array; nothing was restored',
      ),
    );
    expect(average.state()).toEqual(state);
  });
});

describe("a step inside withAverage", () => {
  it("is refused, for its weights would be lost; the own ones are back", () => {
    const model = new Linear(2, 1);
    const optimizer = new Adam(model.parameters());
    const average = new ExponentialMovingAverage(model);
    average.update();
    const before = model.stateDict();
    const step = (): void => {
      mean(model.forward(tensor([[1, 2]]))).backward();
      optimizer.step();
    };
    expect(() => average.withAverage(step)).toThrow(
      new DistilgradError(
        "changed",
        "withAverage: the weights were changed while the averages stood in for them, and such a change is lost; train outside",
      ),
    );
    expect(model.stateDict()).toEqual(before);
  });
});
