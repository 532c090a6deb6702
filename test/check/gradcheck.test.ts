import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/gradcheck.ts";
import { DistilgradError } from "../../src/errors.ts";
import { arange, ones, randn, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { dropout, linear, relu, softmax, sum, tanh } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { record, type Tensor, wrt } from "../../src/tensor.ts";

const kernels = float64;
const random = (...shape: number[]): Tensor => randn(shape, { kernels, random: new RandomStream(11) });

/** An op named `square` whose pullback adds `share(x, dy, i)` to each entry of dx. */
const square =
  (share: (x: number, dy: number, i: number) => number) =>
  (x: Tensor): Tensor =>
    record(
      "square",
      x.data.map((value) => value * value),
      x.shape,
      [
        wrt(x, (dx, dy) => {
          for (let i = 0; i < dx.length; i++) dx[i] += share(x.data[i], dy[i], i);
        }),
      ],
    );

const right = square((x, dy) => 2 * x * dy);

describe("gradcheck", () => {
  it("passes what is right, small and large", () => {
    gradcheck(right, [random(2, 3)]);
    gradcheck(softmax, [random(3, 4)]);
    gradcheck(linear, [random(20, 30), random(10, 30), random(10)]);
    gradcheck(right, [random(50, 50)]);
    gradcheck((x) => sum(x), [random(2, 0)]);
  });

  it("passes a function that draws, when it restarts its stream", () => {
    gradcheck((x) => dropout(x, { probability: 0.5, random: new RandomStream(3) }), [random(4)]);
  });

  it("leaves its inputs as they were", () => {
    const x = random(3);
    const before = x.toArray();
    gradcheck(tanh, [x]);
    expect(x.toArray()).toEqual(before);
    expect(x.requiresGrad).toBe(false);
    expect(x.grad).toBeNull();
  });

  const at = tensor([[0.5, 2]], { kernels });

  it.each<[message: string, call: () => void]>([
    [
      "gradcheck: square: input 0 at [0, 0]: backward says 0.500000, difference 1.00000, off by 5.0e-1 > 2.1e-8 (seed 1)",
      () =>
        gradcheck(
          square((x, dy) => x * dy),
          [at],
        ),
    ],
    [
      "gradcheck: relu: input 0 at [1]: backward says 0.00000, difference 0.500000, off by 5.0e-1 > 1.1e-8; the slopes on both sides differ: this is a kink, where there is no derivative (seed 1)",
      () => gradcheck(relu, [tensor([1, 0], { kernels })]),
    ],
    [
      "gradcheck: square: input 0 at [0, 0]: a zero cotangent gives the gradient 1 (seed 1)",
      () =>
        gradcheck(
          square((x, dy) => 2 * x * dy + 1),
          [at],
        ),
    ],
    [
      "gradcheck: input 0 must be a float64 tensor, got float32; make it with { kernels: float64 }",
      () => gradcheck(relu, [ones([2])]),
    ],
    [
      "gradcheck: input 1 must be a float64 tensor, got number; make it with { kernels: float64 }",
      () => gradcheck(relu, [at, 3 as unknown as Tensor]),
    ],
    [
      "gradcheck: constant: its result does not depend on any input (seed 1)",
      () =>
        gradcheck(
          function constant() {
            return arange(2, { kernels });
          },
          [at],
        ),
    ],
  ])("says: %s", (message, call) => {
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  it("finds a backward that is not linear in its cotangent", () => {
    const bad = square((x, dy) => 2 * x * dy ** 3);
    expect(() => gradcheck(bad, [at])).toThrow("backward is not linear in the cotangent");
  });

  it("finds a pullback that assigns where it should add", () => {
    const bad = (x: Tensor): Tensor =>
      record("assigning", x.data.slice(), x.shape, [wrt(x, (dx, dy) => dx.set(dy))]);
    expect(() => gradcheck(bad, [at])).toThrow(
      /input 0 at \[0, 0\]: going back twice gives \S+ instead of \S+; a pullback adds with \+= and never assigns/,
    );
  });

  it("finds a function that draws anew each time", () => {
    const stream = new RandomStream(3);
    expect(() => gradcheck((x) => dropout(x, { probability: 0.5, random: stream }), [random(40)])).toThrow(
      "draw random numbers from a stream that fn restarts",
    );
  });

  it("finds a pass that changes its input, even once and by the sign of a zero", () => {
    const bad = (x: Tensor): Tensor => {
      const y = right(x);
      x.data[1] = -0;
      return y;
    };
    expect(() => gradcheck(bad, [tensor([2, 0], { kernels })])).toThrow(
      "gradcheck: square: input 0 at [1]: the pass changed its input (seed 1)",
    );
  });

  it("finds one wrong entry among ten thousand", () => {
    const bad = square((x, dy, i) => (i === 7777 ? 1 : 2) * x * dy);
    expect(() => gradcheck(bad, [random(100, 100)])).toThrow("along random direction 0");
  });

  it("names its seed", () => {
    const bad = square((x, dy) => x * dy);
    expect(() => gradcheck(bad, [at], { seed: 17 })).toThrow("(seed 17)");
  });

  it("refuses an input that does not reach the result: a layer's weight that fn reads from elsewhere", () => {
    const random = new RandomStream(1);
    const [x, weight] = [
      [2, 3],
      [4, 3],
    ].map((shape) => randn(shape, { kernels: float64, random }));
    expect(() => gradcheck((x) => linear(x, weight), [x, weight])).toThrow(
      new DistilgradError(
        "gradient",
        "gradcheck: linear: input 1 does not reach the result, so nothing of it would be checked; fn must compute with the tensors that it is handed (seed 1)",
      ),
    );
    gradcheck((x, weight) => linear(x, weight), [x, weight]);
    gradcheck((x) => x, [x]);
  });
});
