import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor } from "../../../src/factories.ts";
import { readSafetensors, writeSafetensors } from "../../../src/io/index.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { BatchNorm1d, Linear, type Module, Sequential, stateHash } from "../../../src/nn/index.ts";
import { loadModel, saveModel } from "../../../src/node/model-files.ts";
import { RandomStream } from "../../../src/random.ts";
import { hashOf, rowsOf } from "../../distill/models.ts";
import { pathsInAFolder } from "./folder.ts";

function model(seed: number, width = 4): Sequential {
  const random = new RandomStream(seed);
  return new Sequential({
    in: new Linear(5, width, { random }),
    norm: new BatchNorm1d(width),
    out: new Linear(width, 3, { random }),
  });
}

/** With statistics that are not those of the start. */
function used(seed: number): Sequential {
  const made = model(seed);
  made.forward(rowsOf(8, seed).x);
  return made;
}

describe("saveModel and loadModel", () => {
  const path = pathsInAFolder();

  it("bring weights and buffers into another model, bit by bit, and the metadata with them", () => {
    const [one, other] = [used(1), used(2)];
    const metadata = new Map([
      ["classes", "a, b, c"],
      ["accuracy", "0.97"],
    ]);
    saveModel(path("m.safetensors"), one, { metadata });
    expect(loadModel(path("m.safetensors"), other)).toEqual(metadata);
    expect(hashOf(other)).toBe(hashOf(one));
    expect(readdirSync(path())).toEqual(["m.safetensors"]);
  });

  it("write a safetensors file of the model's names, with the hash of its state", () => {
    const one = used(1);
    saveModel(path("m"), one);
    const { tensors, metadata } = readSafetensors(readFileSync(path("m")));
    expect([...tensors.keys()].sort()).toEqual([...one.stateDict().keys()].sort());
    expect([...metadata]).toEqual([["distilgrad.stateHash", stateHash(one.stateDict())]]);
  });

  it("load a file of another program, which has no hash", () => {
    const one = used(1);
    writeFileSync(path("m"), writeSafetensors(one.stateDict(), new Map([["format", "pt"]])));
    const other = model(2);
    expect([...loadModel(path("m"), other)]).toEqual([["format", "pt"]]);
    expect(hashOf(other)).toBe(hashOf(one));
  });

  function refused(into: Module, code: DistilgradError["code"], message: string): void {
    const before = hashOf(into);
    expect(() => loadModel(path("m"), into)).toThrow(
      new DistilgradError(code, `loadModel: ${path("m")}: ${message}`),
    );
    expect(hashOf(into)).toBe(before);
  }

  it("refuse a file whose values were edited, and load nothing", () => {
    saveModel(path("m"), used(1));
    const bytes = readFileSync(path("m"));
    const own = readSafetensors(bytes).metadata.get("distilgrad.stateHash");
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path("m"), bytes);
    const now = stateHash(readSafetensors(bytes).tensors);
    refused(
      model(2),
      "data",
      `expected names, shapes and values with the hash ${own}, got ${now}; the file was edited`,
    );
  });

  it("refuse a torn file", () => {
    saveModel(path("m"), used(1));
    const bytes = readFileSync(path("m"));
    writeFileSync(path("m"), bytes.subarray(0, bytes.length - 5));
    refused(
      model(2),
      "data",
      `readSafetensors: expected ${4 * (5 * 4 + 4 + 4 * 4 + 4 * 3 + 3)} bytes of values, got ${4 * 55 - 5}; the file is torn`,
    );
  });

  it("refuse a model of other shapes", () => {
    saveModel(path("m"), used(1));
    refused(
      new Linear(1, 1),
      "state",
      'loadStateDict: the state does not fit this model: missing "weight", "bias"; unexpected "in.bias", "in.weight", "norm.bias", "norm.runningMean", "norm.runningVariance", "norm.weight", "out.bias", "out.weight"; nothing was loaded',
    );
  });

  it("refuse values of another precision, which would be rounded, and integers", () => {
    saveModel(path("m"), new Linear(2, 1, { kernels: float64 }));
    refused(new Linear(2, 1), "state", '"bias" is float64, the model\'s is float32');
    writeFileSync(path("m"), writeSafetensors(new Map([["steps", { shape: [], data: Int32Array.of(3) }]])));
    refused(new Linear(2, 1), "state", '"steps" is I32, which no weight or buffer is');
  });

  it("refuse metadata under the name of the hash, a file that is not there, and what is no model", () => {
    expect(() =>
      saveModel(path("m"), model(1), { metadata: new Map([["distilgrad.stateHash", "x"]]) }),
    ).toThrow(
      new DistilgradError(
        "value",
        'saveModel: metadata "distilgrad.stateHash" is set by saveModel; take another name',
      ),
    );
    expect(() => loadModel(path("none"), model(1))).toThrow(/ENOENT/);
    expect(() => saveModel(path("m"), tensor([1]) as never)).toThrow(
      "saveModel: expected a Module second, got a Tensor",
    );
    expect(() => loadModel(path("m"), undefined as never)).toThrow(
      "loadModel: expected a Module second, got undefined",
    );
    expect(() => saveModel(path("m"), model(1), { metadata: {} as never })).toThrow(
      "saveModel: expected metadata, a Map of texts, got an object",
    );
    expect(() => saveModel(path("m"), model(1), { meta: 1 } as never)).toThrow(
      'saveModel: unknown option "meta"; possible are metadata',
    );
    expect(readdirSync(path())).toEqual([]);
  });
});
