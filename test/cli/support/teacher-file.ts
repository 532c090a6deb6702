import { network } from "../../../src/cli/network.ts";
import { type NetworkDescription, saveNetwork } from "../../../src/cli/network-file.ts";
import { RandomStream } from "../../../src/random.ts";

/** Saves a teacher of three clouds that was never trained, which answers like any other. */
export function saveTeacher(path: string, seed = 1, changes: Partial<NetworkDescription> = {}): void {
  const layers = [2, 6, 3];
  saveNetwork(path, network(layers, 0, { init: new RandomStream(seed) }), {
    role: "teacher",
    name: "teacher",
    seed: 0,
    layers,
    dropout: 0,
    classes: ["blue", "green", "red"],
    features: ["x", "y"],
    scale: { mean: [0.5, -1], deviation: [1.5, 2] },
    recipeHash: "aa",
    tableHash: "bb",
    testShare: 0.2,
    ...changes,
  });
}
