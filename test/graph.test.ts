/** What the engine keeps, frees, copies and counts: the life of a graph between forward and backward. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { tensor } from "../src/factories.ts";
import { noGrad } from "../src/graph.ts";
import { float32 } from "../src/kernels/float32.ts";
import { float64 } from "../src/kernels/float64.ts";
import { mul, relu, scale, sum, tanh } from "../src/ops/index.ts";
import { record, Tensor, wrt } from "../src/tensor.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Gives the collector a turn: what a task has looked at through a weak reference lives until the task ends. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const says = (code: string, message: string) =>
  expect.objectContaining({ name: "DistilgradError", code, message });

const parameter = (values: number[] = [1, 2]): Tensor => tensor(values, { requiresGrad: true });

/** An op of its own: y = x, with something to do on the way back. */
function spy(x: Tensor, onTheWayBack: () => void): Tensor {
  return record("spy", x.data.slice(), x.shape, [
    wrt(x, (dx, dy) => {
      onTheWayBack();
      x.kernels.addScaled(dx, 1, dy);
    }),
  ]);
}

const alive = (refs: readonly WeakRef<object>[]): number =>
  refs.filter((ref) => ref.deref() !== undefined).length;

describe("a backward pass", () => {
  it("releases each node as it goes: at the oldest, no newer activation is left", async () => {
    const values: WeakRef<object>[] = [];
    const storages: WeakRef<object>[] = [];
    const nodes: WeakRef<object>[] = [];
    let left: number[] = [];
    const chain = (): Tensor => {
      let y = spy(parameter(), () => {
        collect();
        collect();
        left = [values, storages].map(alive);
      });
      // The caller holds the last one.
      for (let i = 0; i < 39; i++) {
        y = tanh(y);
        if (i === 38) break;
        values.push(new WeakRef(y.data));
        storages.push(new WeakRef(y.storage));
        nodes.push(new WeakRef(y.node!));
      }
      return y;
    };
    const output = chain();
    await breathe();
    collect();
    // Until then all are needed.
    expect([values, storages, nodes].map(alive)).toEqual([38, 38, 38]);
    await breathe();
    output.backward(tensor([1, 1]));
    expect(left).toEqual([0, 0]);
    await breathe();
    collect();
    expect(alive(nodes)).toBe(0);
  });

  it("leaves nothing of the inner ops to a loss that is kept", async () => {
    const refs: WeakRef<object>[] = [];
    const step = (w: Tensor): Tensor => {
      const hidden = relu(mul(w, w));
      const squares = mul(hidden, hidden);
      for (const { data, storage, node } of [hidden, squares]) {
        for (const part of [data, storage, node!]) refs.push(new WeakRef(part));
      }
      const loss = sum(squares);
      loss.backward();
      return loss;
    };
    const w = parameter();
    const kept = [step(w), step(w), step(w)];
    await breathe();
    collect();
    expect(alive(refs)).toBe(0);
    // (1 + 16) each, whose gradient is 4 w³.
    expect(kept.map((loss) => loss.item())).toEqual([17, 17, 17]);
    expect(w.grad?.toArray()).toEqual([12, 96]);
  });

  it.each<[where: string, head: (trunk: Tensor, fail: () => void) => Tensor]>([
    ["the newest op", (trunk, fail) => spy(scale(trunk, 2), fail)],
    ["an op in the middle", (trunk, fail) => scale(spy(scale(trunk, 2), fail), 3)],
    ["the op after the trunk", (trunk, fail) => scale(spy(trunk, fail), 2)],
  ])("that fails in %s frees the graph: no later one adds to half a gradient", (_, head) => {
    const x = parameter();
    const trunk = relu(x);
    const failing = sum(
      head(trunk, () => {
        throw new Error("out of order");
      }),
    );
    const other = sum(trunk);
    expect(() => failing.backward()).toThrow("out of order");
    expect(() => other.backward()).toThrow(
      says(
        "graph",
        "backward: the graph behind relu was freed by an earlier backward; run the forward pass again, or add the losses and go back once",
      ),
    );
    expect(() => failing.backward()).toThrow("was freed by an earlier backward");
  });

  it("that fails does not keep the next graph over the same leaf from its gradient", () => {
    const x = parameter();
    const failing = spy(relu(x), () => {
      throw new Error("out of order");
    });
    expect(() => sum(failing).backward()).toThrow("out of order");
    x.zeroGrad();
    sum(scale(x, 3)).backward();
    expect(x.grad?.toArray()).toEqual([3, 3]);
  });
});

describe("requiresGrad", () => {
  it("off and on again between forward and backward keeps the gradient", () => {
    const w = parameter();
    const loss = sum(mul(w, w));
    w.requiresGrad = false;
    w.requiresGrad = true;
    loss.backward();
    expect(w.grad?.toArray()).toEqual([2, 4]);
  });

  it("off and on again keeps a gradient that is there, and goes on adding to it", () => {
    const w = parameter();
    sum(scale(w, 3)).backward();
    w.requiresGrad = false;
    expect(w.requiresGrad).toBe(false);
    expect(scale(w, 2).requiresGrad).toBe(false);
    w.requiresGrad = true;
    expect(w.requiresGrad).toBe(true);
    expect(w.grad?.toArray()).toEqual([3, 3]);
    sum(scale(w, 2)).backward();
    expect(w.grad?.toArray()).toEqual([5, 5]);
  });

  it.each<[shown: string, value: unknown]>([
    ["1", 1],
    ["0", 0],
    ["null", null],
    ["undefined", undefined],
    ['"true", a string', "true"],
  ])("refuses %s", (shown, value) => {
    const w = parameter();
    expect(() => {
      w.requiresGrad = value as boolean;
    }).toThrow(says("value", `requiresGrad: expected true or false, got ${shown}`));
    expect(w.requiresGrad).toBe(true);
  });
});

describe("a gradient", () => {
  it("may be the cotangent of its own tensor", () => {
    const w = parameter();
    sum(mul(w, tensor([3, 4]))).backward();
    w.backward(w.grad!);
    expect(w.grad?.toArray()).toEqual([6, 8]);
  });

  it("may be a cotangent after zeroGrad, with the values it had", () => {
    const w = parameter();
    sum(mul(w, tensor([3, 4]))).backward();
    let old = w.grad!;
    w.zeroGrad();
    w.backward(old);
    expect(w.grad?.toArray()).toEqual([3, 4]);

    old = w.grad!;
    w.zeroGrad();
    scale(w, 2).backward(old);
    expect(w.grad?.toArray()).toEqual([6, 8]);
  });

  it("counts every backward into it, so an op that read it before says that it changed", () => {
    const [w, u] = [parameter(), parameter([5, 6])];
    sum(mul(w, w)).backward();
    const read = (): Tensor => sum(mul(w.grad!, u));
    const versions = [w.grad!.storage.version];

    const first = read();
    sum(w).backward();
    versions.push(w.grad!.storage.version);
    expect(() => first.backward()).toThrow("operand 0 of mul was changed in place");

    const second = read();
    w.zeroGrad();
    sum(w).backward();
    versions.push(w.grad!.storage.version);
    expect(() => second.backward()).toThrow("operand 0 of mul was changed in place");

    expect(u.grad).toBeNull();
    expect(new Set(versions).size).toBe(3);
    read().backward();
    expect(u.grad?.toArray()).toEqual([1, 1]);
  });
});

describe("what a tensor is made of", () => {
  it("has sizes that are whole numbers, even where their product fits", () => {
    expect(() => new Tensor(new Float32Array(2), [-1, -2], float32)).toThrow(
      says("shape", "tensor: sizes are whole numbers of at least 0, got [-1, -2]"),
    );
    const x = parameter();
    expect(() => record("own", new Float32Array(5), [2.5, 2], [wrt(x, () => {})])).toThrow(
      says("shape", "tensor: sizes are whole numbers of at least 0, got [2.5, 2]"),
    );
  });

  it("has values of the type that its kernels hold", () => {
    const x = parameter();
    expect(() => record("own", new Float64Array(2), [2], [wrt(x, () => {})])).toThrow(
      says("kernels", "tensor: the float32 set holds Float32Array, got a Float64Array"),
    );
    expect(() => new Tensor(new Float32Array(2), [2], float64)).toThrow(
      says("kernels", "tensor: the float64 set holds Float64Array, got a Float32Array"),
    );
  });
});

describe("noGrad", () => {
  it("leaves no unhandled rejection of the async function that it refuses", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    try {
      expect(() =>
        noGrad(async () => {
          throw new Error("inside");
        }),
      ).toThrow("noGrad: expected a synchronous function");
      // Rejections are reported once the microtasks of a task have run.
      await breathe();
      await breathe();
    } finally {
      process.off("unhandledRejection", listen);
    }
    expect(unhandled).toEqual([]);
  });
});
