import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/index.ts";
import { cornerOf, judge } from "../../src/check/kinks.ts";
import { randn, tensor } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { log, maximum, relu, square } from "../../src/ops/index.ts";
import { RandomStream } from "../../src/random.ts";
import { elementwise } from "./support/elementwise.ts";
import { thrownBy } from "./support/thrown.ts";

const away = "move the inputs at least 10 steps (0.01) away from there";
const softsign = elementwise(
  "softsign",
  (x) => x / (1 + Math.abs(x)),
  (x, dy) => dy / (1 + Math.abs(x)) ** 2,
);
const stairs = elementwise(
  "stairs",
  (x) => Math.floor(x) + x,
  (_, dy) => dy,
);

describe("a point without a derivative", () => {
  it.each<[message: string, check: () => unknown]>([
    [
      `gradcheck: relu, input 0 at [1]: backward says 0, central difference 0.5; the slopes to both sides differ: a kink, where there is no derivative; ${away} (seed 1)`,
      () => gradcheck(relu, [tensor([1, 0])]),
    ],
    [
      `gradcheck: maximum, input 1 at [1]: backward says 1, central difference 0.5; the slopes to both sides differ: a kink, where there is no derivative; ${away} (seed 1)`,
      () => gradcheck((a, b) => maximum(b, a), [tensor([1, 3]), tensor([2, 3])]),
    ],
    [
      `gradcheck: stairs, input 0 at [1]: backward says 1, central difference 584.333; the function jumps here, where there is no derivative; ${away} (seed 1)`,
      () => gradcheck(stairs, [tensor([0.5, 2])]),
    ],
    [
      `gradcheck: softsign, input 0 at [0]: backward says 1, central difference 0.999333; differences come closer to backward as the step shrinks and never reach it: a higher derivative jumps here; ${away} (seed 1)`,
      () => gradcheck(softsign, [tensor([0, 2])]),
    ],
    [
      "gradcheck: relu, input 0 at [0]: backward says 0, central difference 0.5; the slopes to both sides differ: a kink, where there is no derivative; move the inputs at least 10 steps (0.0002) away from there (seed 1)",
      () => gradcheck(relu, [tensor([0])], { step: 2e-5 }),
    ],
  ])("is no wrong gradient: %s", (message, check) => {
    const error = thrownBy(check);
    expect(error).toMatchObject({ code: "kink", law: "smooth", message, hint: null });
  });

  it("is found among thousands of entries, and named", () => {
    const x = randn([60, 60], { kernels: float64, random: new RandomStream(5) });
    x.update((data) => {
      data[1234] = 0;
    });
    expect(thrownBy(() => gradcheck(relu, [x]))).toMatchObject({
      code: "kink",
      message: expect.stringContaining("gradcheck: relu, input 0 at [20, 34]: backward says 0, "),
    });
  });

  it("does not hide a gradient that is less wrong elsewhere", () => {
    const bad = elementwise(
      "bad",
      (x) => Math.max(x, 0),
      (x, dy) => (x > 0 ? 1.1 * dy : 0),
    );
    expect(thrownBy(() => gradcheck(bad, [tensor([0, 1])]))).toMatchObject({
      code: "gradient",
      message: expect.stringContaining("bad, input 0 at [1]: backward says 1.1, central difference 1 "),
    });
  });

  it("does not hide a smaller error behind many larger ones that shorter steps resolve", () => {
    const bad = elementwise(
      "bad",
      (x) => Math.max(x, 0),
      (x, dy) => (x > 0 ? (x === 2 ? 1.01 : 1) * dy : 0),
    );
    const beside = Array.from({ length: 40 }, (_, i) => 1e-4 * (1 + i / 40));
    expect(thrownBy(() => gradcheck(bad, [tensor([...beside, 2])])).message).toContain(
      "bad, input 0 at [40]: ",
    );
    gradcheck(bad, [tensor([...beside, 3])]);
  });

  it("does no harm beside the inputs, nor does strong curvature: a shorter step leaves it out", () => {
    const { error, tolerance } = gradcheck(relu, [tensor([1e-3, -5e-4, 1e-4, -1e-5])]);
    expect(error).toBeLessThan(tolerance);
    gradcheck(log, [tensor([0.01])]);
    const many = randn([100, 100], { random: new RandomStream(5) });
    const at = expect.stringMatching(/^along random direction /);
    expect(gradcheck(relu, [many])).toMatchObject({ compared: "directions", count: 4, at });
  });

  it("is left out with the directions that meet it at every step, when others do not", () => {
    // Within two of the shortest steps when the direction moves it by more than three quarters.
    const x = randn([60, 60], { kernels: float64, random: new RandomStream(5) });
    x.update((data) => {
      data[7] = 3e-6;
    });
    for (let seed = 1; seed <= 8; seed++) expect(gradcheck(relu, [x], { seed }).count).toBe(4);
  });
});

describe("judge", () => {
  const slopes = fc.double({ min: -3, max: 3, noNaN: true });

  it("calls a slope wrong on a smooth line, unless it is right", () => {
    fc.assert(
      fc.property(slopes, slopes, slopes, (a, b, c) => {
        const line = (t: number): number => a * Math.sin(t + b) + c * t * t;
        const slope = a * Math.cos(b);
        fc.pre(Math.abs(slope) > 1e-3);
        expect(judge(line, slope, 1e-3, 1e-8).verdict).toBe("agrees");
        expect(judge(line, 1.001 * slope, 1e-3, 1e-8).verdict).toBe("wrong");
        expect(judge(line, slope + 1, 1e-3, 1e-8).verdict).toBe("wrong");
        expect(cornerOf(line, 1e-3)).toEqual({ size: 0, jump: false });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("measures a corner wherever it is within two steps", () => {
    fc.assert(
      fc.property(fc.double({ min: -1.5, max: 1.5, noNaN: true }), slopes, slopes, (place, left, right) => {
        const line = (t: number): number => {
          const s = t - place * 1e-3;
          return Math.cos(t) + (s > 0 ? right : left) * s;
        };
        fc.pre(Math.abs(left - right) > 0.1);
        const { size, jump } = cornerOf(line, 1e-3);
        expect(jump).toBe(false);
        expect(Math.abs(size - Math.abs(left - right))).toBeLessThan(1e-6);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("a step that does not suit", () => {
  it("is what the hint names, when a longer or a shorter one agrees", () => {
    const offset = elementwise(
      "offset",
      (x) => 1e6 + Math.sin(x),
      (x, dy) => Math.cos(x) * dy,
    );
    expect(thrownBy(() => gradcheck(offset, [tensor([0.1, 0.2])])).hint).toBe(
      "with { step: 0.01 } it agrees: inputs far from the order of 1 and strongly curved functions need another step",
    );
    const fast = elementwise(
      "fast",
      (x) => Math.sin(2e4 * x),
      (x, dy) => 2e4 * Math.cos(2e4 * x) * dy,
    );
    expect(thrownBy(() => gradcheck(fast, [tensor([0.1, 0.2])])).hint).toMatch(
      /^with \{ step: 0\.0+1 \} it agrees/,
    );
    gradcheck(fast, [tensor([0.1, 0.2])], { step: 1e-4 });
  });

  it("is not blamed where the gradient is wrong", () => {
    const bad = elementwise("bad", Math.sin, (x, dy) => (Math.cos(x) + 1e-3 * x) * dy);
    expect(thrownBy(() => gradcheck(bad, [tensor([0.1, 0.2])])).hint).toBeNull();
    gradcheck(square, [tensor([0.1, 0.2])]);
  });
});
