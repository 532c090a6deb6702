import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../src/errors.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  fanInUniform,
  kaimingNormal,
  kaimingUniform,
  xavierNormal,
  xavierUniform,
} from "../../src/nn/index.ts";
import { RandomStream } from "../../src/random.ts";

const shape = [200, 50] as const;
const [fanOut, fanIn] = shape;
const n = fanOut * fanIn;

const uniforms = [
  { name: "fanInUniform", init: fanInUniform, bound: 1 / Math.sqrt(fanIn) },
  { name: "kaimingUniform", init: kaimingUniform, bound: Math.sqrt(6 / fanIn) },
  { name: "xavierUniform", init: xavierUniform, bound: Math.sqrt(6 / (fanIn + fanOut)) },
];
const normals = [
  { name: "kaimingNormal", init: kaimingNormal, variance: 2 / fanIn },
  { name: "xavierNormal", init: xavierNormal, variance: 2 / (fanIn + fanOut) },
];

const moment = (values: ArrayLike<number>, k: number): number =>
  Array.from(values).reduce((sum, w) => sum + w ** k, 0) / values.length;

/** Five standard errors of a mean and of a variance; the fourth moment is 9/5 σ⁴ if uniform and 3 σ⁴ if normal. */
function expectSpread(values: ArrayLike<number>, variance: number, kurtosis: number): void {
  expect(Math.abs(moment(values, 1))).toBeLessThan(5 * Math.sqrt(variance / n));
  expect(Math.abs(moment(values, 2) / variance - 1)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / n));
}

describe("initialisations", () => {
  it.each(uniforms)("$name is uniform within its bound", ({ init, bound }) => {
    const { data } = init(shape, { random: new RandomStream(1, "init") });
    const largest = Math.max(...Array.from(data, Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    // P(every |w| < bound·(1 − 20/n)) = e⁻²⁰.
    expect(largest).toBeGreaterThan(bound * (1 - 20 / n));
    expectSpread(data, bound ** 2 / 3, 9 / 5);
  });

  it.each(normals)("$name is normal with its variance", ({ init, variance }) => {
    const { data } = init(shape, { random: new RandomStream(1, "init") });
    expectSpread(data, variance, 3);
    // A normal variable is beyond one deviation in 31.73 % of draws, a uniform one in 42 %.
    const beyond = [...data].filter((w) => w * w > variance).length / n;
    expect(Math.abs(beyond - 0.3173)).toBeLessThan(5 * Math.sqrt((0.3173 * 0.6827) / n));
  });

  it.each([...uniforms, ...normals])(
    "$name counts the receptive field of a convolution in its fans",
    ({ init }) => {
      // [out, in, 3, 3] has fans 9 in and 9 out: the same numbers as the matrix [9 out, 9 in] would start with.
      const field = init([4, 2, 3, 3], { random: new RandomStream(1) });
      const matrix = init([36, 18], { random: new RandomStream(1) });
      expect(field.shape).toEqual([4, 2, 3, 3]);
      expect([...field.data]).toEqual([...matrix.data].slice(0, 72));
    },
  );

  it.each([...uniforms, ...normals])(
    "$name draws row by row from its stream, in any kernel set",
    ({ init }) => {
      const stream = new RandomStream(1);
      const short = init([2, 50], { random: stream });
      const long = init([4, 50], { random: new RandomStream(1) });
      // With xavier the fans differ, and with them the scale, but not the signs.
      expect(Array.from(short.data, Math.sign)).toEqual(Array.from(long.data.subarray(0, 100), Math.sign));
      const wide = init([2, 50], { random: new RandomStream(1), kernels: float64 });
      for (const [i, w] of wide.data.entries()) {
        // At most three float32 roundings: of the draw, of the factor, of the product.
        expect(Math.abs(short.data[i] - w)).toBeLessThanOrEqual(3 * 2 ** -24 * Math.abs(w));
      }
    },
  );

  it("start with the same numbers in every release: pinned", () => {
    const first = (init: typeof kaimingNormal): number[] => [
      ...init([2, 2], { random: new RandomStream(1, "init") }).data,
    ];
    expect({
      kaimingUniform: first(kaimingUniform),
      kaimingNormal: first(kaimingNormal),
      xavierUniform: first(xavierUniform),
      xavierNormal: first(xavierNormal),
    }).toEqual({
      kaimingUniform: [1.3451201915740967, -1.1973512172698975, -0.790002167224884, -0.6476424336433411],
      kaimingNormal: [1.1838947534561157, -0.3073945641517639, 1.3962838649749756, -2.29606294631958],
      xavierUniform: [0.9511436223983765, -0.8466551899909973, -0.5586159229278564, -0.4579523801803589],
      xavierNormal: [0.8371400237083435, -0.21736077964305878, 0.9873217940330505, -1.6235616207122803],
    });
  });

  it.each([...uniforms, ...normals])("$name refuses what is no weight", ({ name, init }) => {
    expect(() => init([3])).toThrow(
      new DistilgradError("shape", `${name}: expected a weight [out, in, …], got [3]`),
    );
  });

  it("leave no graph on what they make", () => {
    for (const { init } of [...uniforms, ...normals]) expect(init(shape).requiresGrad).toBe(false);
  });
});
