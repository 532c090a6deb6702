import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainFloat32 } from "../../../src/kernels/plain-float32.ts";
import { defineUpdates } from "../../../src/kernels/wasm/updates.ts";
import { RandomStream } from "../../../src/random.ts";
import { bitsOf, floatsOf, simdPrograms } from "../../support/simd-programs.ts";

const runs = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };
const round = Math.fround;
const call = simdPrograms(defineUpdates);
const sizes = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(1003));
const decays = fc.constantFrom(0, 0.01);

describe("updates by SIMD", () => {
  it("have the bits of plain stochastic gradient descent, of each kind", () => {
    fc.assert(
      fc.property(
        sizes,
        fc.nat(1e6),
        fc.constantFrom(null, 0.9, 0),
        fc.boolean(),
        decays,
        (n, seed, momentum, nesterov, decay) => {
          const random = new RandomStream(seed);
          const [w, g] = [floatsOf(n, random), floatsOf(n, random)];
          const v = momentum === null ? null : floatsOf(n, random);
          const [expected, velocity] = [w.slice(), v?.slice() ?? null];
          const settings = { rate: 0.1, momentum: momentum ?? 0, nesterov, decay };
          plainFloat32.sgdStep(expected, g, velocity, settings);
          call("sgdStep", [w, g, v], n, round(0.1), round(settings.momentum), round(decay), Number(nesterov));
          expect(bitsOf(w)).toEqual(bitsOf(expected));
          expect(bitsOf(v ?? new Float32Array())).toEqual(bitsOf(velocity ?? new Float32Array()));
        },
      ),
      runs,
    );
  });

  it("have the bits of plain Adam", () => {
    fc.assert(
      fc.property(sizes, fc.nat(1e6), decays, (n, seed, decay) => {
        const random = new RandomStream(seed);
        const [w, g, m, v] = [0, 1, 2, 3].map(() => floatsOf(n, random));
        const expected = [w, m, v].map((values) => values.slice());
        const settings = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, root: 0.3 };
        plainFloat32.adamStep(expected[0], g, expected[1], expected[2], settings);
        const numbers = [1e-3, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1e-8, decay, 0.3].map(round);
        call("adamStep", [w, g, m, v], n, ...numbers);
        expect([w, m, v].map(bitsOf)).toEqual(expected.map(bitsOf));
      }),
      runs,
    );
  });
});
