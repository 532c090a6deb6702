import { describe, expect, it } from "vitest";
import { gradcheckModule } from "../../src/check/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  BatchNorm1d,
  Dropout,
  Embedding,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
} from "../../src/nn/index.ts";
import { add, crossEntropy, mul, tanh } from "../../src/ops/index.ts";
import { libraryStream, RandomStream } from "../../src/random.ts";
import { record, type Tensor, wrt } from "../../src/tensor.ts";
import { elementwise } from "./support/elementwise.ts";
import { thrownBy } from "./support/thrown.ts";

const drawn = (...shape: number[]): Tensor => randn(shape, { random: new RandomStream(2, "inputs") });

function network(): Sequential {
  const random = new RandomStream(1, "network");
  return new Sequential({
    hidden: new Linear(4, 6, { random }),
    norm: new BatchNorm1d(6),
    relu: new ReLU(),
    drop: new Dropout(0.3, { random }),
    logits: new Linear(6, 3, { random }),
  });
}

/** Everything that a check might leave changed. */
function photograph(module: Module) {
  const all = [module, ...module.modules().values()];
  return {
    tensors: [...module.stateTensors()].map(([name, value]) => ({
      name,
      value,
      bits: [...new Int32Array(value.data.slice().buffer)],
      version: value.storage.version,
      grad: value.requiresGrad ? value.grad : null,
    })),
    modes: all.map(({ training }) => training),
    streams: [...module.streams().values()].map((stream) => stream.state()),
    fields: all.map((each) => Reflect.ownKeys(each).map((key) => [key, Reflect.get(each, key)])),
  };
}

/** x², whose pullback forgets the 2. */
const halved = elementwise(
  "halved",
  (x) => x * x,
  (x, dy) => x * dy,
);

class Scaled extends Module {
  weight = new Parameter(ones([3]));
  inner = new Linear(3, 3, { random: new RandomStream(1) });
  readonly op: (w: Tensor) => Tensor;
  constructor(op: (w: Tensor) => Tensor) {
    super();
    this.op = op;
  }
  forward(x: Tensor): Tensor {
    return mul(this.op(this.weight), this.inner.forward(x));
  }
}

describe("gradcheckModule", () => {
  it("checks all parameters and the input of a float32 network, in the mode that it is in", () => {
    const model = network();
    for (const mode of [model.train(), model.eval()]) {
      const entries = 15 * (15 + 4 * 6 + 6 + 6 + 6 + 6 * 3 + 3);
      expect(gradcheckModule(mode, [drawn(5, 4)])).toMatchObject({
        name: "Sequential",
        compared: "entries",
        count: entries + 15 * 5,
      });
    }
  });

  it("leaves everything as it was to the last bit, also when it throws", () => {
    const model = network();
    model.children().get("norm")!.eval();
    const forwards = [
      (x: Tensor) => model.forward(x),
      (x: Tensor) => {
        model.train().eval();
        return model.forward(x);
      },
      (x: Tensor) => {
        model.forward(x);
        throw new Error("mine");
      },
      (x: Tensor) => halved(model.forward(x)),
    ];
    for (const forward of forwards) {
      const before = photograph(model);
      try {
        gradcheckModule(model, [drawn(5, 4)], { forward });
      } catch {}
      expect(photograph(model)).toEqual(before);
    }
    expect(() => gradcheckModule(model, [drawn(5, 4)], { forward: forwards[2] })).toThrow("mine");
  });

  it("puts a mode back where a module is in two places, deep in one and high in the other", () => {
    const shared = new Sequential({ inner: new ReLU() });
    const model = new Sequential({
      deep: new Sequential({ shared }),
      again: new Sequential({ also: shared.children().get("inner")! }),
    });
    model.children().get("again")!.eval();
    shared.children().get("inner")!.train();
    const before = photograph(model).modes;
    gradcheckModule(model, [tensor([1, -2])], {
      forward: (x) => {
        model.eval();
        return model.forward(x);
      },
    });
    expect(photograph(model).modes).toEqual(before);
  });

  it("lets each pass start from the same fields and streams, the library's too", () => {
    class Counting extends Module {
      calls = 0;
      seen: number[] = [];
      drop = new Dropout(0.5);
      forward(x: Tensor): Tensor {
        this.calls++;
        this.seen.push(this.calls);
        Reflect.set(this, "last", x);
        return this.drop.forward(mul(x, tensor([this.calls + this.seen.length], { kernels: float64 })));
      }
    }
    const model = new Counting();
    const before = { ...photograph(model), library: libraryStream().state() };
    gradcheckModule(model, [drawn(8)]);
    expect({ ...photograph(model), library: libraryStream().state() }).toEqual(before);
    expect(model.seen).toEqual([]);
  });

  it("checks a whole loss, and modules of several inputs, through forward", () => {
    const student = network();
    const loss = (x: Tensor): Tensor => crossEntropy(student.forward(x), [0, 1, 2, 0, 1]);
    const parameters = [...student.parameters().values()].reduce((sum, { size }) => sum + size, 0);
    expect(gradcheckModule(student, [drawn(5, 4)], { forward: loss }).count).toBe(parameters + 20);
    class Two extends Module {
      weight = new Parameter(drawn(3));
      forward(a: Tensor, b: Tensor = a): Tensor {
        return add(mul(a, this.weight), tanh(b));
      }
    }
    const two = new Two();
    const forward = (a: Tensor, b: Tensor): Tensor => two.forward(a, b);
    expect(gradcheckModule(two, [drawn(3), drawn(3)], { forward }).count).toBe(27);
  });

  it("finds parameters in arrays, shared ones in all their places, and leaves frozen ones out", () => {
    class Tied extends Module {
      layers = [
        new Linear(3, 3, { random: new RandomStream(1) }),
        new Linear(3, 3, { random: new RandomStream(2) }),
      ];
      again = this.layers[0].weight;
      forward(x: Tensor): Tensor {
        return mul(this.layers[1].forward(this.layers[0].forward(x)), halved(tensorRow(this.again)));
      }
    }
    /** The first row of a matrix. */
    const tensorRow = (w: Tensor): Tensor =>
      record(
        "row",
        w.data.slice(0, 3),
        [3],
        [
          wrt(w, (dw, dy) => {
            for (let i = 0; i < 3; i++) dw[i] += dy[i];
          }),
        ],
      );
    const tied = new Tied();
    expect(thrownBy(() => gradcheckModule(tied, [drawn(2, 3)])).message).toMatch(
      /^gradcheck: Tied, parameter "(again|layers\.0\.weight)" at \[0, \d\]: backward says /,
    );
    for (const parameter of tied.parameters().values()) parameter.requiresGrad = false;
    expect(gradcheckModule(tied, [drawn(2, 3)]).count).toBe(36);
  });

  it("reads indices from a float64 tensor, as they have no gradient", () => {
    const table = new Embedding(5, 2, { random: new RandomStream(1) });
    const indices = tensor(
      [
        [0, 3],
        [3, 1],
      ],
      { kernels: float64 },
    );
    expect(gradcheckModule(table, [], { forward: () => table.forward(indices) }).count).toBe(80);
  });

  it("checks a large network with many kinks along random directions", () => {
    const random = new RandomStream(1, "large");
    const model = new Sequential({
      hidden: new Linear(16, 64, { random }),
      relu: new ReLU(),
      logits: new Linear(64, 5, { random }),
    });
    const report = gradcheckModule(model, [drawn(32, 16)]);
    expect(report).toMatchObject({ compared: "directions", count: 4 });
    expect(report.error).toBeLessThan(report.tolerance);
  });

  it("moves parameters from where they start, as ones hide a factor, and not when told so", () => {
    const cubed = elementwise(
      "cubed",
      (x) => x * x * x,
      (x, dy) => 3 * x * dy,
    );
    gradcheckModule(new Scaled(cubed), [drawn(2, 3)], { jitter: 0 });
    expect(thrownBy(() => gradcheckModule(new Scaled(cubed), [drawn(2, 3)])).message).toContain(
      'gradcheck: Scaled, parameter "weight" at ',
    );
  });

  it("names the parameter, keeps its shape in the smallest case, and cuts the batch", () => {
    const error = thrownBy(() => gradcheckModule(new Scaled(halved), [drawn(4, 3)], { seed: 2 }));
    expect(error.message).toMatch(
      /^gradcheck: Scaled, parameter "weight" at \[\d\]: backward says \S+, central difference \S+ \(relative 5\.0e-1 > \S+, seed 2\)\n {2}hint: backward is 1\/2 of the difference at every entry: a contribution is missing/,
    );
    expect(error.case.inputs.map(({ shape }) => shape)).toEqual([[3], [3, 3], [3], [1, 3]]);
  });

  it("refuses a parameter that the result does not depend on", () => {
    const model = network();
    expect(thrownBy(() => gradcheckModule(model, [drawn(2, 4)], { forward: (x) => tanh(x) }))).toMatchObject({
      law: "reached",
      message:
        'gradcheck: Sequential: parameter "hidden.weight" does not reach the result, so nothing of it would be checked; freeze it with requiresGrad = false if the result is not meant to depend on it (seed 1)',
    });
  });

  it.each<[code: string, message: string, call: () => unknown]>([
    ["value", "gradcheckModule: expected a Module, got 3", () => gradcheckModule(3 as never, [])],
    [
      "value",
      "gradcheckModule: expected a Module, got the function Linear",
      () => gradcheckModule(Linear as never, []),
    ],
    [
      "value",
      "gradcheckModule: expected a list of input tensors, such as [x]",
      () => gradcheckModule(network(), drawn(2, 4) as never),
    ],
    [
      "value",
      "gradcheckModule: expected a parameter or an input to check, got none",
      () => gradcheckModule(new ReLU(), []),
    ],
    [
      "value",
      "gradcheckModule: forward must be a function, got 3",
      () => gradcheckModule(network(), [], { forward: 3 as never }),
    ],
    [
      "value",
      "gradcheckModule: jitter must be a finite number of at least 0, got -1",
      () => gradcheckModule(network(), [drawn(2, 4)], { jitter: -1 }),
    ],
    [
      "value",
      'gradcheckModule: unknown option "mode"; possible are seed, step, fullUpTo, name, jitter, forward',
      () => gradcheckModule(network(), [drawn(2, 4)], { mode: 1 } as never),
    ],
    [
      "kernels",
      "gradcheckModule: the function runs in float64, and so must all that it reads: hand that in as an input, make it with { kernels: float64 }, or leave a module's tensors to gradcheckModule, which finds them in its fields; mul: operands live in two kernel sets, float64 and float32; make both with the same",
      () => {
        class Hidden extends Module {
          #weight = new Parameter(ones([3]));
          forward = (x: Tensor): Tensor => mul(x, this.#weight);
        }
        return gradcheckModule(new Hidden(), [drawn(3)]);
      },
    ],
  ])("says with the code %s: %s", (code, message, call) => {
    expect(call).toThrow(new DistilgradError(code as "value", message));
  });
});
