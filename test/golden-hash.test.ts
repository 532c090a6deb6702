/** That trainings end with the same weights here as everywhere; `node/golden-hash.test.ts` runs them on what is built. */
import { describe, expect, it } from "vitest";
import {
  distilledWeights,
  goldenOfDense,
  goldenOfNetworks,
  networkWeights,
} from "./support/golden-weights.js";

describe("the golden hash", () => {
  it("is the same here as everywhere", () => {
    expect(distilledWeights()).toBe(goldenOfDense);
  });

  it("of convolutional networks and transformers is the same here as everywhere", () => {
    expect(networkWeights()).toBe(goldenOfNetworks);
  });
});
