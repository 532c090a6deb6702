import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { heldOutDivergence } from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { ones, tensor } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { kl, logitPairs, mean, rowsOf, softmax, u } from "../losses/cases.ts";
import { runs } from "./cases.ts";

const z = [
  [1, 2, 3],
  [0, 0, 0],
];
const v = [
  [3, 1, 0.2],
  [2, -1, 0.5],
];

describe("heldOutDivergence", () => {
  it("has no factor T²", () => {
    const at = (temperature: number): number =>
      heldOutDivergence(tensor(z, { kernels: float64 }), tensor(v, { kernels: float64 }), { temperature });
    expect(at(1).toFixed(8)).toBe("1.06103842");
    expect(at(4).toFixed(8)).toBe("0.08577966");
    expect(at(20).toFixed(8)).toBe("0.00341156");
  });

  it("is the mean of KL(teacher ‖ student) over rows, at temperature 1 unless told otherwise", () => {
    fc.assert(
      fc.property(logitPairs(), fc.constantFrom(0.5, 1, 2, 8), ([student, teacher], temperature) => {
        const expected = mean(
          rowsOf(student).map((row, i) =>
            kl(softmax(rowsOf(teacher)[i], temperature), softmax(row, temperature)),
          ),
        );
        const got = heldOutDivergence(student, teacher, { temperature });
        // The textbook's terms q log(q/p) are at most some tens, and cancel.
        expect(Math.abs(got - expected)).toBeLessThanOrEqual(1e-13);
        expect(got).toBeGreaterThanOrEqual(0);
        const once = heldOutDivergence(student, teacher);
        expect(once).toBe(heldOutDivergence(student, teacher, { temperature: 1 }));
      }),
      runs,
    );
  });

  it("is exactly 0 for equal logits, and of float32 logits the float64 one rounded", () => {
    expect(heldOutDivergence(tensor(z), tensor(z), { temperature: 3 })).toBe(0);
    const [narrow, wide] = [{}, { kernels: float64 }].map((options) =>
      heldOutDivergence(
        tensor(z, options),
        tensor(
          v.map((row) => row.map(Math.fround)),
          options,
        ),
      ),
    );
    expect(Math.abs(narrow - wide)).toBeLessThanOrEqual(1.001 * u * wide);
  });

  it("leaves no gradient behind", () => {
    const student = tensor(z, { requiresGrad: true });
    heldOutDivergence(student, tensor(v));
    expect(student.grad).toBeNull();
  });

  it("refuses logits of different shape, a temperature that is none, and other options", () => {
    expect(() => heldOutDivergence(ones([2, 3]), ones([2, 4]))).toThrow(
      new DistilgradError(
        "shape",
        "heldOutDivergence: studentLogits and teacherLogits must have the same shape, got [2, 3] and [2, 4]",
      ),
    );
    expect(() => heldOutDivergence(ones([0, 3]), ones([0, 3]))).toThrow(
      new DistilgradError(
        "shape",
        "heldOutDivergence: expected studentLogits [rows, classes] with at least one row, got [0, 3]",
      ),
    );
    expect(() => heldOutDivergence(ones([2, 3]), ones([2, 3]), { temperature: 0 })).toThrow(
      new DistilgradError("value", "heldOutDivergence: temperature must be a finite number above 0, got 0"),
    );
    expect(() => heldOutDivergence(ones([2, 3]), ones([2, 3]), { T: 2 } as object)).toThrow(
      new DistilgradError("value", 'heldOutDivergence: unknown option "T"; possible are temperature'),
    );
  });
});
