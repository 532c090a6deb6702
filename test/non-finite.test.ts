import { describe, expect, it } from "vitest";
import { tensor } from "../src/factories.ts";
import { firstNonFinite } from "../src/non-finite.ts";
import { add, exp, log, mul, relu, scale, sum } from "../src/ops/index.ts";

describe("firstNonFinite", () => {
  it("is null for a finite loss", () => {
    expect(firstNonFinite(sum(tensor([1, 2], { requiresGrad: true })))).toBeNull();
  });

  it("names the op whose operands were still finite", () => {
    const x = tensor([1, -1], { requiresGrad: true });
    expect(firstNonFinite(sum(scale(relu(log(x)), 2)))).toEqual({ op: "log", operand: null });
    expect(firstNonFinite(sum(exp(scale(x, 1e3))))).toEqual({ op: "exp", operand: null });
  });

  it("names the operand that was not finite to begin with", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const [nan, infinite] = [tensor([1, Number.NaN]), tensor([1, Number.POSITIVE_INFINITY])];
    expect(firstNonFinite(sum(mul(nan, w)))).toEqual({
      op: "mul",
      operand: { index: 0, storage: nan.storage },
    });
    expect(firstNonFinite(sum(add(w, infinite)))).toEqual({
      op: "add",
      operand: { index: 1, storage: infinite.storage },
    });
  });

  it("has only the loss to name when there is no graph", () => {
    expect(firstNonFinite(tensor(Number.NaN))).toEqual({ op: "the loss itself", operand: null });
  });
});
