/** Each check sees the fault that it is for, and says where it is in the simplest case there is. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type OpCase,
  type OpPoint,
  type OpSpec,
  opChecks,
  type RunOptions,
  shapes,
  tensors,
  unitRoundoff,
} from "../../../src/check/fast-check/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { ones, tensor } from "../../../src/factories.ts";
import type { Pullback } from "../../../src/graph.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Floats } from "../../../src/kernels/kernels.ts";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { type PartialDerivative, record, type Tensor, wrt } from "../../../src/tensor.ts";

/** What makes an op that triples its operand wrong. */
interface Fault {
  readonly value?: (x: number, operand: Tensor) => number;
  readonly pullback?: (x: Tensor, y: Floats) => Pullback;
  readonly shape?: (x: Tensor) => readonly number[];
  readonly recordedAs?: string;
  readonly before?: (x: Tensor) => void;
  readonly also?: (x: Tensor) => PartialDerivative;
}

const tripled =
  ({
    value = (x) => 3 * x,
    pullback,
    shape = (x) => x.shape,
    recordedAs = "tripled",
    before,
    also,
  }: Fault = {}) =>
  (x: Tensor): Tensor => {
    before?.(x);
    const y = x.kernels.alloc(x.size);
    for (let i = 0; i < y.length; i++) y[i] = value(x.data[i], x);
    const right: Pullback = (dx, dy) => {
      for (let i = 0; i < dx.length; i++) dx[i] += 3 * dy[i];
    };
    return record(recordedAs, y, shape(x), [wrt(x, pullback?.(x, y) ?? right), ...(also ? [also(x)] : [])]);
  };

const specOf = (call: (x: Tensor) => Tensor, more: Partial<OpSpec> = {}): OpSpec => ({
  samples: tensors().map((x) => ({
    operands: [x],
    call,
    shape: x.shape,
    expected: Array.from(x.data, (v) => 3 * v),
  })),
  rowAxes: 1,
  linear: [[0]],
  ...more,
});

const names = {
  shape: "tripled has the shape that it promises",
  value: "tripled gives what its reference gives",
  gradient: "tripled has the gradient that differences measure",
  exact: "tripled is as exact in float32 as its bounds say",
  exactGradient: "tripled has a gradient in float32 that is as exact as its bounds say",
  simd: "tripled gives the bits of the plain kernels with SIMD",
  twice: "tripled gives the same bits twice",
  untouched: "tripled leaves operands, values and cotangent as they were",
  adds: "tripled adds to a gradient that is there",
  asked: "tripled computes no derivative that nobody asked for",
  cotangent: "tripled has gradients that are linear in the cotangent",
  zero: "tripled has gradients of exactly 0 for a cotangent of 0",
  empty: "tripled is right where there are no values",
  rows: "tripled computes a row in a batch to the same bits as the row alone",
  linear: "tripled is linear in operand 0, and backward is its adjoint",
  name: "tripled calls itself tripled in the graph",
};

type Name = keyof typeof names;

/** What the failing checks say. */
function failures(op: string, spec: OpSpec, options: RunOptions = {}): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const check of opChecks(op, spec)) {
    const name = (Object.keys(names) as Name[]).find((key) => names[key] === check.name);
    try {
      check.run(options);
    } catch (error) {
      if (name) found[name] = (error as Error).message;
    }
  }
  return found;
}

const parts = "samples, errors, domain, kinks, linear, rowAxes, refusesEmpty, golden, recordedAs";

describe("a right op", () => {
  const point: OpPoint = { at: "2", operands: [2], call: tripled(), value: 6, gradients: [3] };
  const refuses = (): never => {
    throw new Error("tripled: no");
  };
  const full = specOf(tripled(), {
    errors: [[refuses, "tripled: no"]],
    domain: [point],
    kinks: [{ ...point, at: "two", cotangent: 5, gradients: [15] }],
    golden: [{ ...point, value: 6 + 6e-12 }],
  });

  it("passes every check, which are these", () => {
    expect(opChecks("tripled", full).map(({ name }) => name)).toEqual([
      ...Object.values(names),
      "tripled is right at 2",
      "tripled chooses its gradient at two",
      "tripled gives the golden numbers of 2",
      "tripled says: tripled: no",
    ]);
    expect(failures("tripled", full)).toEqual({});
  });

  it("has fewer checks where less is said of it", () => {
    const { samples } = full;
    expect(opChecks("tripled", { samples, refusesEmpty: true }).map(({ name }) => name)).toEqual(
      Object.values(names).filter((name) => ![names.empty, names.rows, names.linear].includes(name)),
    );
  });

  it("is compared with the plain kernels only where others serve", () => {
    const { name } = float32;
    Object.assign(float32, { name: plainFloat32.name });
    try {
      expect(opChecks("tripled", full).map((check) => check.name)).not.toContain(names.simd);
    } finally {
      Object.assign(float32, { name });
    }
  });
});

/** One that nobody has handed in. */
const parameter = ({ kernels }: Tensor): PartialDerivative =>
  wrt(ones([], { kernels, requiresGrad: true }), () => {});

/** A pullback that writes entry by entry. */
const entries =
  (entry: (dx: number, dy: number, i: number) => number): Pullback =>
  (dx, dy) => {
    for (let i = 0; i < dx.length; i++) dx[i] = entry(dx[i], dy[i], i);
  };
const mean = ({ data }: Tensor): number => [...data].reduce((sum, x) => sum + x, 0) / data.length;

describe("a wrong op", () => {
  let calls = 0;

  it.each<[fault: string, fault: Fault, seenBy: Name[]]>([
    ["a wrong value above 2", { value: (x) => 3 * x + (x > 2 ? 1 : 0) }, ["value", "linear"]],
    ["NaN above 2", { value: (x) => (x > 2 ? Number.NaN : 3 * x) }, ["value", "gradient", "linear"]],
    ["a factor that is off", { value: (x) => 3.001 * x }, ["value", "gradient", "linear"]],
    ["another shape", { shape: (x) => [...x.shape, 1] }, ["shape", "adds", "asked", "empty"]],
    ["a wrong derivative", { pullback: () => entries((dx, dy) => dx + 2 * dy) }, ["gradient", "linear"]],
    [
      "roundings too many in float32",
      { value: (x, { kernels }) => 3 * x * (kernels === float64 ? 1 : 1 + 2 ** -22) },
      ["exact"],
    ],
    [
      "roundings too many on the way back",
      {
        pullback: ({ kernels }) =>
          entries((dx, dy) => dx + 3 * dy * (kernels === float64 ? 1 : 1 + 2 ** -21)),
      },
      ["exactGradient"],
    ],
    [
      "other bits with SIMD",
      { value: (x, { kernels }) => 3 * x * (kernels === float32 ? 1 + 2 ** -24 : 1) },
      ["exact", "simd"],
    ],
    [
      "other bits in every other call",
      { before: () => calls++, value: (x) => 3 * x + (calls % 2) * 2 ** -48 },
      ["gradient", "exact", "simd", "twice", "rows"],
    ],
    [
      "a change of its operand",
      { before: ({ data }) => data.fill(2, 0, 1) },
      ["value", "gradient", "untouched", "linear", "rows"],
    ],
    [
      "a change of its operand on the way back",
      { pullback: ({ data }) => entries((dx, dy, i) => dx + 3 * dy + 0 * (data[i] = 1)) },
      ["gradient", "untouched"],
    ],
    [
      "a change of its result on the way back",
      { pullback: (_, y) => entries((dx, dy, i) => dx + 3 * dy + 0 * (y[i] = 1)) },
      ["gradient", "untouched"],
    ],
    ["an = for a +=", { pullback: () => entries((_, dy) => 3 * dy) }, ["gradient", "adds"]],
    ["a parameter of its own", { also: parameter }, ["asked"]],
    [
      "a derivative that is not linear",
      { pullback: () => entries((dx, dy) => dx + 3 * dy * dy) },
      ["gradient", "cotangent", "linear"],
    ],
    [
      "a gradient out of nothing",
      { pullback: () => entries((dx, dy) => dx + 3 * dy + 1e-30) },
      ["gradient", "zero"],
    ],
    [
      "a loop that takes the first entry for granted",
      {
        before: ({ data }) => {
          if (data.length === 0) throw new RangeError("no first entry");
        },
      },
      Object.keys(names).filter((key) => key !== "rows" && key !== "name") as Name[],
    ],
    [
      "a rounding that depends on the batch",
      { value: (x, operand) => 3 * (x - mean(operand)) + 3 * mean(operand) },
      ["rows"],
    ],
    ["a square for a linear function", { value: (x) => x * x }, ["value", "gradient", "linear"]],
    ["another name", { recordedAs: "thrice" }, ["name"]],
  ])("is seen by the checks for it: %s", (_, fault, seenBy) => {
    expect(Object.keys(failures("tripled", specOf(tripled(fault)))).sort()).toEqual([...seenBy].sort());
  });
});

describe("a failure", () => {
  const wrongAbove2 = specOf(tripled({ value: (x) => 3 * x + (x > 2 ? 1 : 0) }));
  const check = (name: string, spec: OpSpec) => opChecks("tripled", spec).find((one) => one.name === name)!;

  it("shows the simplest case, what is wrong there, and how to repeat it", () => {
    expect(() => check(names.value, wrongAbove2).run()).toThrow(
      new Error(
        [
          `It is not true that ${names.value}: y is 10 at [], expected 9, off by 1.0 > 1.0e-11`,
          "  operand 0: tensor(3, [] float32)",
          '  run({ seed: 1, path: "0:2" }) repeats it',
        ].join("\n"),
      ),
    );
  });

  it("is repeated by its seed and path, at once", () => {
    const rare = specOf(tripled({ value: (x) => 3 * x + (x > 2.75 ? 1 : 0) }));
    const { value = "" } = failures("tripled", rare, { seed: 3 });
    const [, seed, path] = /seed: (\d+), path: "(.*)"/.exec(value)!;
    expect(Number.parseInt(path, 10)).toBeGreaterThan(0);
    expect(failures("tripled", rare, { seed: Number(seed), numRuns: 1 }).value).toBeUndefined();
    expect(failures("tripled", rare, { seed: Number(seed), numRuns: 1, path }).value).toBe(value);
  });

  it("is none of the op's where a time limit of fast-check's has run out", () => {
    fc.configureGlobal({ interruptAfterTimeLimit: 0, markInterruptAsFailure: true });
    try {
      expect(() => check(names.value, specOf(tripled())).run()).toThrow(
        /^Property interrupted after 0 tests/,
      );
    } finally {
      fc.resetConfigureGlobal();
    }
  });

  it("keeps what was thrown as its cause", () => {
    const thrown = new RangeError("no");
    const before = (): never => {
      throw thrown;
    };
    try {
      check(names.value, specOf(tripled({ before }))).run();
    } catch (error) {
      expect((error as Error).cause).toBe(thrown);
      expect((error as Error).message).toContain(`${names.value}: no\n`);
    }
    expect.assertions(2);
  });

  it.each<[what: string, key: Name, fault: Fault, says: string]>([
    ["another shape", "shape", { shape: (x) => [...x.shape, 1] }, "y is [1], expected []"],
    [
      "a changed operand",
      "untouched",
      { before: ({ data }) => data.fill(2, 0, 1) },
      "operand 0 afterwards is 2 at [], expected 0",
    ],
    ["another name", "name", { recordedAs: "thrice" }, "it is called thrice"],
    [
      "a wrong derivative",
      "linear",
      { pullback: () => entries((dx, dy) => dx + 2 * dy) },
      "in operand 0: ⟨A b, u⟩ − ⟨b, Aᵀ u⟩ is ",
    ],
    [
      "a wrong derivative by differences",
      "gradient",
      { pullback: () => entries((dx, dy) => dx + 2 * dy) },
      "gradcheck: tripled",
    ],
    [
      "an =",
      "adds",
      { pullback: () => entries((_, dy) => 3 * dy) },
      "the gradient of operand 0 after two uses is ",
    ],
    ["a parameter of its own", "asked", { also: parameter }, "y requires a gradient, and no operand does"],
    [
      "a gradient out of nothing",
      "zero",
      { pullback: () => entries((dx) => dx + 1) },
      "the gradient of operand 0 is 1 at [], expected 0",
    ],
    [
      "a dependence on the batch",
      "rows",
      { before: ({ data }) => data.fill(2, 0, 1) },
      "row 1 alone is 6 at [0], expected 0",
    ],
  ])("says in its message what is wrong: %s", (_, key, fault, says) => {
    expect(failures("tripled", specOf(tripled(fault)))[key]).toContain(
      `It is not true that ${names[key]}: ${says}`,
    );
  });

  it("names the kernels in which y is, where these are not the operands'", () => {
    const narrowed = (x: Tensor): Tensor =>
      record(
        "tripled",
        Float32Array.from(x.data, (v) => 3 * v),
        x.shape,
        [wrt(ones(x.shape), () => {})],
      );
    expect(failures("tripled", specOf(narrowed)).shape).toContain(
      "y is in float32 SIMD, and its operands in float64",
    );
  });
});

describe("an op of two operands", () => {
  const pairs = (call: (a: Tensor, b: Tensor) => Tensor): OpSpec => ({
    samples: fc.tuple(tensors({ shape: [2] }), tensors({ shape: [2] })).map(([a, b]) => ({
      operands: [a, b],
      call,
      shape: [2],
      expected: Array.from(a.data, (x, i) => 3 * x + b.data[i]),
      bound: (y) => 2 * unitRoundoff * (Math.abs(y) + 6),
    })),
    refusesEmpty: true,
    linear: [[0, 1]],
  });
  const sum = (a: Tensor, b: Tensor, pullback: Pullback): Tensor =>
    record(
      "tripled",
      a.data.map((x, i) => 3 * x + b.data[i]),
      [2],
      [
        wrt(a, pullback),
        wrt(
          b,
          entries((db, dy) => db + dy),
        ),
      ],
    );
  const right = entries((da, dy) => da + 3 * dy);

  it("passes where it is right", () => {
    expect(
      failures(
        "tripled",
        pairs((a, b) => sum(a, b, right)),
      ),
    ).toEqual({});
  });

  it("is seen to ask for a gradient of the other operand", () => {
    const asking = (a: Tensor, b: Tensor): Tensor => {
      if (a.requiresGrad) b.requiresGrad = true;
      return sum(a, b, right);
    };
    expect(failures("tripled", pairs(asking)).asked).toContain(
      "operand 1 has a gradient, and only operand 0 requires one",
    );
  });

  it("is seen to compute another gradient where only one is asked for", () => {
    const lazy = (a: Tensor, b: Tensor): Tensor =>
      sum(a, b, b.requiresGrad ? right : entries((da, dy) => da + 2 * dy));
    expect(Object.keys(failures("tripled", pairs(lazy)))).toEqual(["asked"]);
    expect(failures("tripled", pairs(lazy)).asked).toContain(
      "the gradient of operand 0, asked for alone, is ",
    );
  });
});

describe("a case", () => {
  const { samples } = specOf(tripled());

  it("may have nothing for a result, and then no gradient", () => {
    const none = (gradient: number) => (x: Tensor) =>
      record(
        "tripled",
        x.kernels.alloc(0),
        [0],
        [
          wrt(
            x,
            entries((dx) => dx + gradient),
          ),
        ],
      );
    const empty = (gradient: number) =>
      samples.map((drawn) => ({ ...drawn, call: none(gradient), shape: [0], expected: [] }));
    expect(failures("tripled", { samples: empty(0) }).empty).toBeUndefined();
    expect(failures("tripled", { samples: empty(1) }).empty).toContain(
      "the gradient of operand 0 is 1 at [], expected 0",
    );
  });

  it("has as many expected values as there are", () => {
    const more = samples.map((drawn) => ({ ...drawn, expected: [...drawn.expected, 0] }));
    expect(failures("tripled", { samples: more }).value).toContain("y has 1 values, expected 2");
  });

  it("may have a step of its own", () => {
    const seen = new Set<number>();
    const watched = (x: Tensor): Tensor => {
      for (const value of x.data) seen.add(value);
      return tripled()(x);
    };
    const one = tensors({ shape: [1], min: 1, max: 1.5 }).map((x) => ({
      operands: [x],
      call: watched,
      shape: [1],
      expected: [3 * x.data[0]],
      step: 2 ** -6,
    }));
    const check = opChecks("tripled", { samples: one, refusesEmpty: true }).find(
      ({ name }) => name === names.gradient,
    )!;
    check.run({ numRuns: 1 });
    const [x] = fc.sample(tensors({ shape: [1], min: 1, max: 1.5 }), { seed: 1, numRuns: 1 });
    expect([...seen]).toContain(x.data[0] + 2 ** -6);
    expect([...seen]).toContain(x.data[0] - 2 ** -6);
  });

  it("may be recorded under other names, or none", () => {
    const call = (x: Tensor): Tensor => (x.size === 1 ? x : tripled({ recordedAs: "thrice" })(x));
    const spec = { samples: samples.map((drawn) => ({ ...drawn, call })) };
    expect(failures("tripled", spec).name).toContain("it is no computation");
    const checks = opChecks("tripled", { ...spec, recordedAs: ["thrice", null] });
    const check = checks.find(
      ({ name }) => name === "tripled calls itself thrice or by no name in the graph",
    )!;
    expect(() => check.run()).not.toThrow();
  });
});

describe("points", () => {
  const rectified =
    (slopeAt0 = 0) =>
    (x: Tensor): Tensor =>
      record(
        "relu",
        x.data.map((v) => Math.max(v, 0)),
        x.shape,
        [
          wrt(
            x,
            entries((dx, dy, i) => dx + (x.data[i] === 0 ? slopeAt0 : Number(x.data[i] > 0)) * dy),
          ),
        ],
      );
  const { samples } = specOf(tripled());
  const messageOf = (spec: Partial<OpSpec>): string => {
    const last = opChecks("relu", { samples, refusesEmpty: true, ...spec }).at(-1)!;
    try {
      last.run();
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };

  it("say which gradient is chosen at a kink", () => {
    const kink: OpPoint = { at: "0", operands: [0], call: rectified(), gradients: [0] };
    expect(messageOf({ kinks: [kink] })).toBe("");
    expect(messageOf({ kinks: [{ ...kink, call: rectified(1) }] })).toBe(
      "It is not true that relu chooses its gradient at 0: in float32 SIMD, the gradient of operand 0 is 1 at [], expected 0",
    );
  });

  it("tell 0 from −0, and NaN from every number, in value and gradient", () => {
    const edge: OpPoint = { at: "an edge", operands: [[-0, Number.NaN]], call: rectified() };
    expect(messageOf({ domain: [{ ...edge, value: [0, Number.NaN] }] })).toBe("");
    expect(messageOf({ domain: [{ ...edge, value: [-0, Number.NaN] }] })).toBe(
      "It is not true that relu is right at an edge: in float32 SIMD, y is 0 at [0], expected −0",
    );
    expect(messageOf({ domain: [{ ...edge, value: [0, 0] }] })).toContain("y is NaN at [1], expected 0");
    expect(messageOf({ domain: [{ ...edge, gradients: [[-0, 0]] }] })).toContain(
      "operand 0 is 0 at [0], expected −0",
    );
  });

  it("have a shape, and are compared in float64, too, once rounded", () => {
    const point: OpPoint = { at: "1/3", operands: [[1 / 3]], call: rectified() };
    expect(messageOf({ domain: [{ ...point, value: [1 / 3], gradients: [[1]] }] })).toBe("");
    expect(messageOf({ domain: [{ ...point, value: 1 / 3 }] })).toContain("y is [1], expected []");
    const onlyInFloat32 = (x: Tensor): Tensor => (x.kernels === float32 ? rectified() : tripled())(x);
    expect(messageOf({ domain: [{ ...point, call: onlyInFloat32, value: [1 / 3] }] })).toContain(
      ": in float64, y is ",
    );
  });

  it("take a cotangent, and tensors for numbers, such as one without values", () => {
    const point: OpPoint = { at: "5", operands: [5], call: rectified(), cotangent: 2, gradients: [2] };
    expect(messageOf({ domain: [point] })).toBe("");
    const empty = ones([0, 3]);
    const nothing: OpPoint = {
      at: "nothing",
      operands: [empty],
      call: rectified(),
      value: empty,
      gradients: [empty],
    };
    expect(messageOf({ domain: [nothing] })).toBe("");
    expect(messageOf({ domain: [{ ...nothing, value: ones([0]) }] })).toContain("y is [0, 3], expected [0]");
  });

  it("skip a gradient of which nothing is said", () => {
    const point: OpPoint = {
      at: "1 and 2",
      operands: [1, 2],
      call: (a, b) => record("first", a.data.slice(), [], [wrt(a, (da) => da.fill(7)), wrt(b, () => {})]),
      gradients: [null, 0],
    };
    expect(messageOf({ domain: [point] })).toBe("");
    expect(messageOf({ domain: [{ ...point, gradients: [1, 0] }] })).toContain(
      "operand 0 is 7 at [], expected 1",
    );
  });

  it("are golden within a tolerance, in float64", () => {
    const golden = { at: "elsewhere", operands: [1 / 3], call: rectified(), gradients: [1] };
    expect(messageOf({ golden: [{ ...golden, value: 1 / 3 + 1e-12 }] })).toBe("");
    expect(messageOf({ golden: [{ ...golden, value: 1 / 3 + 1e-9, tolerance: 1e-9 }] })).toBe("");
    expect(messageOf({ golden: [{ ...golden, value: 1 / 3 + 1e-9 }] })).toContain(
      "It is not true that relu gives the golden numbers of elsewhere: y is 0.333",
    );
  });

  it("hold an error to its whole message", () => {
    const call = (message: string) => (): never => {
      throw new DistilgradError("value", message);
    };
    expect(messageOf({ errors: [[call("relu: no"), "relu: no"]] })).toBe("");
    expect(messageOf({ errors: [[call("relu: no, never"), "relu: no"]] })).toBe(
      'relu: expected the error "relu: no", got "relu: no, never"',
    );
    expect(messageOf({ errors: [[() => 1, "relu: no"]] })).toBe(
      'relu: expected the error "relu: no", got none',
    );
  });
});

describe("what is said of an op", () => {
  const spec = specOf(tripled());

  it("must be about the samples, or it would prove nothing", () => {
    const unknown = (says: string, what: string) =>
      `It is not known whether ${says}: 1000 samples hold no such case; ${what}`;
    const rank1 = tensors({ minRank: 1, maxRank: 1, minSize: 1 }).map((x) => ({
      operands: [x],
      call: tripled(),
      shape: x.shape,
      expected: Array.from(x.data, (v) => 3 * v),
    }));
    expect(failures("tripled", { samples: rank1 })).toEqual({
      empty: unknown(names.empty, "let them hold some, or say refusesEmpty: true"),
    });
    expect(failures("tripled", { ...spec, samples: rank1, refusesEmpty: true, rowAxes: 2 })).toEqual({
      rows: unknown(names.rows, "draw an operand 0 of at least as many axes, or leave rowAxes out"),
    });
    const more = opChecks("tripled", { ...spec, linear: [[1]] }).find(({ name }) =>
      name.includes("is linear in"),
    )!;
    expect(() => more.run()).toThrow(
      unknown(
        "tripled is linear in operand 1, and backward is its adjoint",
        "name operands that they have, or leave linear out",
      ),
    );
  });

  it("may differ in a case", () => {
    const shifted = (x: Tensor): Tensor => tripled({ value: (v) => 3 * v + 1 })(x);
    const cases = (more: Partial<OpCase>) =>
      tensors().map((x) => ({
        operands: [x],
        call: x.size > 2 ? shifted : tripled(),
        shape: x.shape,
        expected: Array.from(x.data, (v) => 3 * v + (x.size > 2 ? 1 : 0)),
        ...(x.size > 2 && more),
      }));
    expect(Object.keys(failures("tripled", { ...spec, samples: cases({}) }))).toEqual(["linear"]);
    expect(failures("tripled", { ...spec, samples: cases({ linear: [] }) })).toEqual({});
  });

  it("may leave a bias away that is not there", () => {
    const samples = shapes({ minRank: 1, maxRank: 1 }).chain((shape) =>
      fc.array(tensors({ shape }), { minLength: 1, maxLength: 2 }).map((operands) => ({
        operands,
        call: (x: Tensor, bias?: Tensor) =>
          record(
            "tripled",
            x.data.map((v, i) => 3 * v + (bias?.data[i] ?? 0)),
            shape,
            [
              wrt(
                x,
                entries((dx, dy) => dx + 3 * dy),
              ),
              ...(bias
                ? [
                    wrt(
                      bias,
                      entries((db, dy) => db + dy),
                    ),
                  ]
                : []),
            ],
          ),
        shape,
        expected: Array.from(operands[0].data, (v, i) => 3 * v + (operands[1]?.data[i] ?? 0)),
        bound: (y: number) => 2 * unitRoundoff * (Math.abs(y) + 6),
      })),
    );
    const found = failures("tripled", { samples, linear: [[0, 1]] });
    expect(found).toEqual({});
    const wrong = opChecks("tripled", { samples, linear: [[0]] }).find(({ name }) =>
      name.includes("is linear in"),
    )!;
    expect(() => wrong.run()).toThrow("in operand 0: the value for a + 2b is ");
  });

  it("must be of operands that float32 holds", () => {
    const samples = fc.double({ min: 0.1, max: 0.2, noNaN: true }).map((v) => ({
      operands: [tensor(v, { kernels: float64 })],
      call: tripled(),
      shape: [],
      expected: [3 * v],
    }));
    expect(failures("tripled", { samples, refusesEmpty: true }).value).toContain(
      "opChecks: operands are float32 numbers, got 0.1 in operand 0; draw them with tensors(…), or round them",
    );
  });

  it.each<[what: string, spec: unknown, message: string]>([
    ["no entry", undefined, `opChecks: expected { ${parts} }, got undefined`],
    ["no samples", {}, "opChecks: expected samples, an arbitrary of cases, got undefined"],
    ["a list", { samples: [] }, "opChecks: expected samples, an arbitrary of cases, got an array"],
    ["a misspelt part", { ...spec, kink: [] }, `opChecks: unknown option "kink"; possible are ${parts}`],
    [
      "an empty point",
      { ...spec, kinks: [{ at: "0", operands: [0], call: tripled() }] },
      "opChecks: expected a value, gradients or both at 0, got neither",
    ],
  ])("must be an entry: %s", (_, given, message) => {
    expect(() => opChecks("tripled", given as OpSpec)).toThrow(new DistilgradError("value", message));
  });
});
