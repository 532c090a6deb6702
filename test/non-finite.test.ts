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
    expect(firstNonFinite(sum(scale(relu(log(x)), 2)))).toBe("log");
    expect(firstNonFinite(sum(exp(scale(x, 1e3))))).toBe("exp");
  });

  it("names the operand that was not finite to begin with", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(firstNonFinite(sum(mul(tensor([1, Number.NaN]), w)))).toBe("operand 0 of mul");
    expect(firstNonFinite(sum(add(w, tensor([1, Number.POSITIVE_INFINITY]))))).toBe("operand 1 of add");
  });

  it("has only the loss to name when there is no graph", () => {
    expect(firstNonFinite(tensor(Number.NaN))).toBe("the loss itself");
  });
});
