import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digitPixels, digitsAttribution } from "../../src/data/digits.ts";

describe("digitPixels", () => {
  it("unpacks to the published file, byte for byte", () => {
    const { pixels, labels } = digitPixels();
    let csv = "";
    for (let i = 0; i < labels.length; i++) {
      csv += `${[...pixels.subarray(i * 64, (i + 1) * 64), labels[i]].join(",")}\n`;
    }
    expect(createHash("sha256").update(csv).digest("hex")).toBe(
      "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
    );
  });

  it("has 1797 images of 64 pixels in 0 … 16", () => {
    const { pixels, labels } = digitPixels();
    expect(labels.length).toBe(1797);
    expect(pixels.length).toBe(1797 * 64);
    expect(Math.max(...labels)).toBe(9);
    expect(pixels.reduce((most, pixel) => Math.max(most, pixel), 0)).toBe(16);
  });

  it("has about 180 images of each digit", () => {
    const counts = new Array<number>(10).fill(0);
    for (const label of digitPixels().labels) counts[label]++;
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });

  it("gives arrays of its own to each caller", () => {
    const first = digitPixels();
    first.pixels.fill(0);
    first.labels.fill(0);
    expect(digitPixels().pixels[2]).toBe(5);
    expect(digitPixels().labels[1]).toBe(1);
  });

  it("names its authors, its source and its licence", () => {
    expect(digitsAttribution).toBe(
      "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998 (doi 10.24432/C50P49), CC BY 4.0, https://creativecommons.org/licenses/by/4.0/; test part, repacked, values unchanged",
    );
  });
});
