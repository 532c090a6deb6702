import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../src/errors.ts";
import { arange, full, oneHot, ones, randn, tensor, uniform, zeros } from "../src/factories.ts";
import { noGrad } from "../src/graph.ts";
import { float32 } from "../src/kernels/float32.ts";
import { float64 } from "../src/kernels/float64.ts";
import type { NestedNumbers } from "../src/nested.ts";
import { add, mul, relu, reshape, scale, sum } from "../src/ops/index.ts";
import { manualSeed, RandomStream } from "../src/random.ts";
import { record, Tensor, wrt } from "../src/tensor.ts";

const says = (code: string, message: string) =>
  expect.objectContaining({ name: "DistilgradError", code, message });

describe("factories", () => {
  it("read nested arrays of any depth", () => {
    const x = tensor([[[1, 2, 3]], [[4, 5, 6]]]);
    expect(x.shape).toEqual([2, 1, 3]);
    expect(x.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(x.toArray()).toEqual([[[1, 2, 3]], [[4, 5, 6]]]);
    expect(tensor(5).shape).toEqual([]);
    expect(tensor(5).toArray()).toBe(5);
    expect(tensor([]).shape).toEqual([0]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
  });

  it("read flat numbers with a shape, and copy them", () => {
    const floats = Float32Array.of(1, 2, 3, 4);
    const x = tensor(floats, { shape: [2, 2] });
    floats[0] = 9;
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(Int32Array.of(1, 2)).toArray()).toEqual([1, 2]);
    expect(tensor([1, 2, 3, 4], { shape: [4, 1] }).shape).toEqual([4, 1]);
  });

  it("make constants, ranges and one-hot rows", () => {
    expect(zeros([2]).toArray()).toEqual([0, 0]);
    expect(ones([1, 2]).toArray()).toEqual([[1, 1]]);
    expect(full([2], 0.5).toArray()).toEqual([0.5, 0.5]);
    expect(arange(3).toArray()).toEqual([0, 1, 2]);
    expect(oneHot([2, 0], 3).toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });

  it("take the precision that is asked for", () => {
    expect(zeros([2], { kernels: float64 }).data).toBeInstanceOf(Float64Array);
    expect(tensor(0.1, { kernels: float64 }).item()).toBe(0.1);
    expect(tensor(0.1).item()).toBe(Math.fround(0.1));
  });

  it("draw from the stream they are given, and from the library's otherwise", () => {
    const draw = () => randn([3], { random: new RandomStream(4, "init") }).toArray();
    expect(draw()).toEqual(draw());
    manualSeed(7);
    const [a, b] = [randn([3]).toArray(), randn([3]).toArray()];
    expect(a).not.toEqual(b);
    manualSeed(7);
    expect(randn([3]).toArray()).toEqual(a);
    const inRange = uniform([1000], { low: -2, high: 3, random: new RandomStream(1) }).data;
    expect(inRange.every((x) => x >= -2 && x <= 3)).toBe(true);
    expect(inRange.some((x) => x < -1.5) && inRange.some((x) => x > 2.5)).toBe(true);
  });

  it.each<[message: string, code: string, call: () => unknown]>([
    ["tensor: shape [3] holds 3 values, got 2", "shape", () => tensor([1, 2], { shape: [3] })],
    [
      "tensor: shape [2, 2] holds 4 values, got 5",
      "shape",
      () => tensor(new Float32Array(5), { shape: [2, 2] }),
    ],
    [
      "tensor: rows differ in length: expected 2 entries along axis 1, got 1",
      "shape",
      () => tensor([[1, 2], [3]]),
    ],
    [
      "tensor: rows differ in length: expected 2 entries along axis 1, got 3",
      "shape",
      () => tensor([[1, 2], 3 as unknown as number[]]),
    ],
    ["tensor: expected a number at position 1, got a nested array", "value", () => tensor([1, [2]])],
    ["tensor: expected a number at position 1, got 2", "value", () => tensor([1, "2" as unknown as number])],
    [
      "tensor: expected a number at position 0, got undefined",
      "value",
      () => tensor(undefined as unknown as number),
    ],
    [
      "tensor: expected numbers, nested arrays of numbers or a typed array, got null",
      "value",
      () => tensor(null as unknown as NestedNumbers),
    ],
    [
      "tensor: expected numbers, nested arrays of numbers or a typed array, got an object",
      "value",
      () => tensor({} as unknown as NestedNumbers),
    ],
    ["zeros: sizes are whole numbers of at least 0, got [1.5]", "shape", () => zeros([1.5])],
    ["ones: sizes are whole numbers of at least 0, got [-1]", "shape", () => ones([-1])],
    ["full: sizes are whole numbers of at least 0, got [NaN]", "shape", () => full([Number.NaN], 1)],
    ["randn: expected a shape such as [2, 3], got 3", "shape", () => randn(3 as unknown as number[])],
    ["uniform: sizes are whole numbers of at least 0, got [2.5]", "shape", () => uniform([2.5])],
    ["arange: sizes are whole numbers of at least 0, got [2.5]", "shape", () => arange(2.5)],
    ["oneHot: label 3 at row 1 is outside [0, 3)", "labels", () => oneHot([0, 3], 3)],
    ["oneHot: labels are whole numbers, got 0.5 at row 0", "labels", () => oneHot([0.5], 3)],
  ])("say: %s", (message, code, call) => {
    expect(call).toThrow(DistilgradError);
    expect(call).toThrow(says(code, message));
  });
});

describe("a tensor", () => {
  it("prints itself, short when long", () => {
    expect(
      String(
        tensor([
          [1, 2],
          [3, 4.5],
        ]),
      ),
    ).toBe("tensor([[1, 2],\n        [3, 4.5]], [2, 2] float32)");
    expect(String(arange(20))).toBe("tensor([0, 1, 2, …, 17, 18, 19], [20] float32)");
    expect(String(tensor(0.1))).toBe("tensor(0.1, [] float32)");
    expect(String(zeros([0, 3]))).toBe("tensor([], [0, 3] float32)");
    expect(inspect(tensor([1]))).toBe("tensor([1], [1] float32)");
  });

  it("gives its only value, and refuses when there are more", () => {
    expect(tensor([[7]]).item()).toBe(7);
    expect(() => tensor([1, 2]).item()).toThrow(
      says("shape", "item: expected exactly one value, got shape [2]"),
    );
  });

  it("shares its values with its detached self", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const cut = x.detach();
    expect(cut.requiresGrad).toBe(false);
    expect(cut.data).toBe(x.data);
    cut.update((data) => data.fill(5));
    expect(x.toArray()).toEqual([5, 5]);
    expect(x.storage.version).toBe(1);
  });

  it("can be frozen and thawed while nothing has computed it", () => {
    const x = tensor([1], { requiresGrad: true });
    x.requiresGrad = false;
    expect(scale(x, 2).requiresGrad).toBe(false);
    x.requiresGrad = true;
    scale(x, 2).backward();
    expect(x.grad?.toArray()).toEqual([2]);
    const y = scale(x, 2);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow(
      says(
        "graph",
        "requiresGrad: this tensor was computed by scale, which decides it; use detach() for one without a past",
      ),
    );
  });

  it("adopts what its constructor is given, if the shape fits", () => {
    const data = Float32Array.of(1, 2);
    expect(new Tensor(data, [2, 1], float32).data).toBe(data);
    expect(() => new Tensor(data, [3], float32)).toThrow(
      says("shape", "tensor: shape [3] holds 3 values, got 2"),
    );
    expect(() => new Tensor(data, [-1], float32)).toThrow(
      says("shape", "tensor: sizes are whole numbers of at least 0, got [-1]"),
    );
  });
});

describe("backward", () => {
  it("adds up over several calls, until zeroGrad", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    sum(mul(x, x)).backward();
    sum(mul(x, x)).backward();
    expect(x.grad?.toArray()).toEqual([4, 8]);
    x.zeroGrad();
    expect(x.grad).toBeNull();
    sum(x).backward();
    expect(x.grad?.toArray()).toEqual([1, 1]);
  });

  it("keeps the buffer of a gradient", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    sum(x).backward();
    const buffer = x.grad?.data;
    x.zeroGrad();
    sum(x).backward();
    expect(x.grad?.data).toBe(buffer);
  });

  it("takes a cotangent, which it copies", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const dy = tensor([3, 4]);
    x.backward(dy);
    scale(x, 2).backward(dy);
    expect(x.grad?.toArray()).toEqual([9, 12]);
    expect(dy.toArray()).toEqual([3, 4]);
  });

  it("gives 1 for a scalar with respect to itself", () => {
    const x = tensor(3, { requiresGrad: true });
    x.backward();
    expect(x.grad?.item()).toBe(1);
  });

  const parameter = (): Tensor => tensor([1, 2], { requiresGrad: true });

  it.each<[message: string, code: string, call: () => unknown]>([
    [
      "backward: expected a scalar, got shape [2]; reduce it to a loss first, or pass a cotangent of this shape",
      "shape",
      () => relu(parameter()).backward(),
    ],
    [
      "backward: expected a cotangent of shape [2], got [1, 2]",
      "shape",
      () => relu(parameter()).backward(ones([1, 2])),
    ],
    [
      "backward: operands live in two kernel sets, float32 and float64; make both with the same",
      "kernels",
      () => relu(parameter()).backward(ones([2], { kernels: float64 })),
    ],
    [
      "backward: this tensor does not depend on anything that requires a gradient; was it computed inside noGrad, or detached?",
      "graph",
      () => sum(ones([2])).backward(),
    ],
    [
      "backward: the graph behind sumTo was freed by an earlier backward; run the forward pass again, or add the losses and go back once",
      "graph",
      () => {
        const loss = sum(mul(parameter(), parameter()), 0, { keepAxes: true });
        loss.backward();
        loss.backward();
      },
    ],
    [
      "backward: operand 0 of mul was changed in place after the forward pass; go back before updating, or run the forward pass again",
      "changed",
      () => {
        const x = parameter();
        const loss = sum(mul(x, x));
        x.update((data) => data.fill(9));
        loss.backward();
      },
    ],
    [
      "backward: the output of scale was changed in place after the forward pass; go back before updating, or run the forward pass again",
      "changed",
      () => {
        const loss = scale(tensor(1, { requiresGrad: true }), 2);
        loss.update((data) => data.fill(9));
        loss.backward();
      },
    ],
    [
      "grad: this tensor was computed by relu; gradients are kept only for tensors made with requiresGrad",
      "graph",
      () => relu(parameter()).grad,
    ],
    [
      "noGrad: expected a synchronous function, got one that returns a promise; call noGrad inside it, around the forward pass",
      "graph",
      () => noGrad(async () => 1),
    ],
  ])("says: %s", (message, code, call) => {
    expect(call).toThrow(says(code, message));
  });

  it("changes nothing when it refuses", () => {
    const [x, w] = [parameter(), parameter()];
    const loss = add(sum(mul(x, w)), sum(relu(x)));
    w.update((data) => data.fill(9));
    expect(() => loss.backward()).toThrow("changed in place");
    expect(x.grad).toBeNull();
    expect(w.grad).toBeNull();
  });

  it("notices a change of an operand that needs no gradient itself", () => {
    const [x, w] = [ones([2]), parameter()];
    const loss = sum(mul(x, w));
    x.update((data) => data.fill(9));
    expect(() => loss.backward()).toThrow("operand 0 of mul was changed in place");
  });

  it("frees what it used: a trunk under two losses is gone after the first", () => {
    const x = parameter();
    const trunk = relu(x);
    const [a, b] = [sum(trunk), sum(trunk)];
    a.backward();
    expect(() => b.backward()).toThrow("the graph behind relu was freed");
  });
});

describe("noGrad", () => {
  it("remembers nothing inside, and everything again after a throw", () => {
    const x = tensor([1], { requiresGrad: true });
    expect(noGrad(() => scale(x, 2)).requiresGrad).toBe(false);
    expect(noGrad(() => noGrad(() => 1) + (scale(x, 2).requiresGrad ? 1 : 0))).toBe(1);
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(scale(x, 2).requiresGrad).toBe(true);
  });

  it("records again after refusing an async function", async () => {
    const x = tensor([1], { requiresGrad: true });
    expect(() => noGrad(() => Promise.resolve(1))).toThrow("noGrad");
    expect(scale(x, 2).requiresGrad).toBe(true);
  });
});

describe("an op of a user's own", () => {
  const square = (x: Tensor): Tensor => {
    const y = x.kernels.alloc(x.size);
    x.kernels.mul(y, x.data, x.data);
    return record("square", y, x.shape, [
      wrt(x, (dx, dy) => {
        for (let i = 0; i < dx.length; i++) dx[i] += 2 * x.data[i] * dy[i];
      }),
    ]);
  };

  it("is written as ours are", () => {
    const x = tensor([3, 4], { requiresGrad: true });
    sum(square(x)).backward();
    expect(x.grad?.toArray()).toEqual([6, 8]);
  });

  it("is refused when its values do not fill its shape", () => {
    const x = tensor([3, 4], { requiresGrad: true });
    expect(() => record("bad", new Float32Array(1), [2], [wrt(x, () => {})])).toThrow(
      says("shape", "tensor: shape [2] holds 2 values, got 1"),
    );
  });

  it("is told when a tensor comes from another copy of the library", () => {
    const stranger = { [Symbol.for("distilgrad.Tensor")]: true } as unknown as Tensor;
    expect(() => relu(stranger)).toThrow(
      says("copies", "relu: operand 0 comes from another copy of distilgrad; load the library once"),
    );
  });

  it.each([
    ["null", null],
    ["undefined", undefined],
    ["an array", [1, 2]],
    ['"x", a string', "x"],
    ["an object", {}],
  ])("is told that %s is not a tensor", (what, given) => {
    expect(() => relu(given as unknown as Tensor)).toThrow(
      says("value", `relu: operand 0 must be a tensor, got ${what}; wrap it in tensor(…)`),
    );
  });

  it("may be a view: reshape shares values and their version", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const view = reshape(x, [2, 1]);
    expect(view.data).toBe(x.data);
    const loss = sum(mul(view, view));
    x.update((data) => data.fill(3));
    expect(() => loss.backward()).toThrow("was changed in place");
  });
});
