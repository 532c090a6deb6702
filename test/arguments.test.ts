import { describe, expect, it } from "vitest";
import { kindOf, requireOptions } from "../src/arguments.ts";
import { DistilgradError } from "../src/errors.ts";
import { Linear, Sequential } from "../src/nn/index.ts";

const known = ["teacher", "batchSize"];

describe("requireOptions", () => {
  class Settings {
    readonly teacher = 1;
  }
  class Computed {
    get teacher(): number {
      return 1;
    }
  }

  it.each([
    ["an object", { batchSize: 3 }],
    ["an empty object", {}],
    ["an object without a prototype", Object.create(null)],
    ["an object of a class with such fields", new Settings()],
    ["an object of a class that computes them", new Computed()],
  ])("takes %s", (_, options) => {
    expect(() => requireOptions("f", options, known)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ["a name that is not known", { batch: 3 }, 'unknown option "batch"; possible are teacher, batchSize'],
    ["nothing", undefined, "expected { teacher, batchSize }, got undefined"],
    ["a model", new Sequential({ a: new Linear(1, 1) }), "expected { teacher, batchSize }, got a Sequential"],
    ["a Map", new Map([["batchSize", 3]]), "expected { teacher, batchSize }, got a Map"],
    ["an empty list", [], "expected { teacher, batchSize }, got an array"],
  ])("refuses %s", (_, options, message) => {
    expect(() => requireOptions("f", options, known)).toThrow(new DistilgradError("value", `f: ${message}`));
  });
});

describe("kindOf", () => {
  it.each<[unknown, string]>([
    [new Uint8Array(1), "a Uint8Array"],
    [new Int32Array(1), "an Int32Array"],
    [new Linear(1, 1), "a Linear"],
    [{}, "an object"],
    [[], "an array"],
  ])("%#: is short, with the article that it is read with: %s", (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });
});
