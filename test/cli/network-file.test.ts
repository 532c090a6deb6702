import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { network } from "../../src/cli/network.ts";
import { type NetworkDescription, readNetwork, saveNetwork } from "../../src/cli/network-file.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { predictLogits } from "../../src/distill/evaluate.ts";
import { tensor } from "../../src/factories.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/index.ts";
import { RandomStream } from "../../src/random.ts";
import { hashOf } from "../distill/models.ts";
import { pathsInAFolder } from "../node/files/folder.ts";

const description: NetworkDescription = {
  role: "teacher",
  name: "teacher",
  seed: 3,
  layers: [2, 4, 3],
  dropout: 0.25,
  classes: ["red", "green, light", "blue"],
  features: ["x", "the other"],
  scale: { mean: [0.1, -1e-300], deviation: [1 / 3, 0] },
  recipeHash: "aa",
  tableHash: "bb",
  testShare: 0.2,
};

const made = (seed: number) => {
  const random = new RandomStream(seed);
  return network([2, 4, 3], 0.25, { init: random, dropout: random });
};

describe("a network's file", () => {
  const path = pathsInAFolder();

  it("gives back the network and all that was said of it", async () => {
    const model = made(1);
    saveNetwork(path("m"), model, description);
    const read = await readNetwork(path("m"));
    expect(read.file).toBe(path("m"));
    // What a constant column is divided by.
    expect(read.description).toEqual({
      ...description,
      scale: { mean: [0.1, -1e-300], deviation: [1 / 3, 1] },
    });
    expect(hashOf(read.model)).toBe(hashOf(model));
    expect(read.standardizer!.apply(tensor([[1.1, 7]])).toArray()).toEqual([
      [Math.fround((Math.fround(1.1) - 0.1) / (1 / 3)), 7],
    ]);
    const x = tensor([[1, 2]]);
    expect(read.model.forward(x).toArray()).toEqual(predictLogits(model, x).toArray());
  });

  it("may be of a network that takes features as they are", async () => {
    saveNetwork(path("m"), made(1), { ...description, scale: null });
    const read = await readNetwork(path("m"));
    expect([read.description.scale, read.standardizer]).toEqual([null, null]);
  });

  it("says in texts that any program reads how it is computed", () => {
    saveNetwork(path("m"), made(1), description);
    const { tensors, metadata } = readSafetensors(readFileSync(path("m")));
    const { "distilgrad.stateHash": _, ...texts } = Object.fromEntries(metadata);
    expect(texts).toEqual({
      "distilgrad.format": "network 1",
      "distilgrad.role": "teacher",
      "distilgrad.name": "teacher",
      "distilgrad.seed": "3",
      "distilgrad.layers": "[2,4,3]",
      "distilgrad.activation": "relu",
      "distilgrad.dropout": "0.25",
      "distilgrad.classes": '["red","green, light","blue"]',
      "distilgrad.features": '["x","the other"]',
      "distilgrad.mean": "[0.1,-1e-300]",
      "distilgrad.deviation": "[0.3333333333333333,1]",
      "distilgrad.recipeHash": "aa",
      "distilgrad.tableHash": "bb",
      "distilgrad.testShare": "0.2",
    });
    expect([...tensors.keys()]).toEqual(["hidden1.bias", "hidden1.weight", "logits.bias", "logits.weight"]);
  });

  /** Saves a network with other metadata, under one name. */
  function edit(key: string, text: string | null): void {
    saveNetwork(path("m"), made(1), description);
    const { tensors, metadata } = readSafetensors(readFileSync(path("m")));
    const edited = new Map(metadata);
    if (text === null) edited.delete(`distilgrad.${key}`);
    else edited.set(`distilgrad.${key}`, text);
    writeFileSync(path("m"), writeSafetensors(tensors, edited));
  }

  const refused = async (message: string): Promise<void> => {
    await expect(readNetwork(path("m"))).rejects.toThrow(new UsageError(`${path("m")}: ${message}`));
  };

  it("is refused when it is not there, no safetensors file, torn, or edited", async () => {
    await refused("no such file");
    for (const other of ["x,y,kind\n1,2,red\n", ""]) {
      writeFileSync(path("m"), other);
      await refused("is no safetensors file; distilgrad distill --save writes models as such files");
    }
    saveNetwork(path("m"), made(1), description);
    const bytes = readFileSync(path("m"));
    writeFileSync(path("m"), bytes.subarray(0, -1));
    await refused("is not whole: expected 108 bytes of values, got 107; the file is torn");
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path("m"), bytes);
    await expect(readNetwork(path("m"))).rejects.toThrow(
      /: cannot be loaded: expected names, shapes and values with the hash [0-9a-f]{64}, got [0-9a-f]{64}; the file was edited$/,
    );
  });

  it("is refused when it has the format of another version", async () => {
    edit("format", "network 2");
    await refused(
      'expected the format "network 1", got "network 2", which another version of distilgrad wrote',
    );
  });

  it("is refused when another program wrote it", async () => {
    writeFileSync(path("m"), writeSafetensors(made(1).stateDict(), new Map([["format", "pt"]])));
    await refused(
      "is of another program and does not say what its classes and features are, as distilgrad distill --save does",
    );
  });

  it.each<[string, string | null, string]>([
    ["role", null, 'expected "distilgrad.role", got none'],
    ["layers", "[2,0,3]", 'expected "distilgrad.layers" to be widths such as [64,32,10], got [2,0,3]'],
    ["layers", "[3]", 'expected "distilgrad.layers" to be widths such as [64,32,10], got [3]'],
    ["seed", "-1", 'expected "distilgrad.seed" to be a whole number, got -1'],
    ["dropout", "1", 'expected "distilgrad.dropout" to be a number from 0 to below 1, got 1'],
    ["testShare", '"x"', 'expected "distilgrad.testShare" to be a number from 0 to below 1, got "x"'],
    ["classes", '["a","b","a"]', 'expected "distilgrad.classes" to be 3 different names, got ["a","b","a"]'],
    ["classes", '["a","b",3]', 'expected "distilgrad.classes" to be 3 different names, got ["a","b",3]'],
    ["features", "[", 'expected "distilgrad.features" to be 2 different names, got ['],
    [
      "features",
      `["${"long ".repeat(9)}"]`,
      'expected "distilgrad.features" to be 2 different names, got ["long long long long lo…ong long long "]',
    ],
    ["mean", "[1]", 'expected "distilgrad.mean" to be null or 2 numbers, got [1]'],
    ["mean", "null", 'expected both "distilgrad.mean" and "distilgrad.deviation", or null twice'],
    ["deviation", "[1,0]", 'expected "distilgrad.deviation" to be null or 2 numbers above 0, got [1,0]'],
  ])("is refused when its metadata make no sense: %s %s", async (key, text, message) => {
    edit(key, text);
    await refused(`has wrong metadata: ${message}`);
  });

  it("is refused when it has other weights than its layers, before any room is taken for them", async () => {
    saveNetwork(path("m"), made(1), { ...description, layers: [2, 1e9, 3] });
    await refused("expected 6000000003 weights and biases for the layers 2-1000000000-3, got 27");
    // As many numbers, of other shapes.
    saveNetwork(path("m"), network([4, 3, 3], 0, { init: new RandomStream(1) }), {
      ...description,
      layers: [2, 4, 3],
    });
    await expect(readNetwork(path("m"))).rejects.toThrow(
      /: cannot be loaded: loadStateDict: the state does not fit this model: .*; nothing was loaded$/,
    );
  });
});
