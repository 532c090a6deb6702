import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { tensor, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear, stateHash } from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const sha = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const hashOf = (entries: readonly (readonly [string, Tensor])[]): string => stateHash(new Map(entries));

describe("stateHash", () => {
  it("is the SHA-256 of a line for each tensor, sorted by name", () => {
    const values = new Uint8Array(Float32Array.of(1, 2).buffer);
    const line = (name: string, shape: string): string =>
      `${JSON.stringify(name)} ${shape} float32 ${sha(values)}\n`;
    expect(
      hashOf([
        ["ß.weight", tensor([[1], [2]])],
        ["a", tensor([1, 2])],
      ]),
    ).toBe(sha(line("a", "[2]") + line("ß.weight", "[2, 1]")));
  });

  it("does not ask for an order, and not for the model's own", () => {
    const [a, b] = [tensor([1]), tensor([2])];
    expect(
      hashOf([
        ["a", a],
        ["b", b],
      ]),
    ).toBe(
      hashOf([
        ["b", b],
        ["a", a],
      ]),
    );
  });

  it("tells names, shapes, precisions, values and the signs of zeros apart", () => {
    const states: [string, Tensor][] = [
      ["a", zeros([2])],
      ["b", zeros([2])],
      ["a", zeros([2, 1])],
      ["a", zeros([2], { kernels: float64 })],
      ["a", tensor([0, -0])],
      ["a", tensor([0, 1e-45])],
      ["\ud800", zeros([2])],
      ["\udc00", zeros([2])],
    ];
    expect(new Set(states.map((state) => hashOf([state]))).size).toBe(states.length);
  });

  it("refuses a model in the place of its state", () => {
    expect(() => stateHash(new Linear(3, 2) as never)).toThrow(
      "stateHash: expected a Map of tensors, as stateDict() gives it, got a Linear",
    );
  });

  it("is the same for models that hold the same numbers", () => {
    const make = (seed: number): Linear => new Linear(3, 2, { random: new RandomStream(seed) });
    expect(stateHash(make(1).stateDict())).toBe(stateHash(make(1).stateDict()));
    expect(stateHash(make(1).stateDict())).not.toBe(stateHash(make(2).stateDict()));
  });
});
