/** Floor 5: a model's weights and buffers as a safetensors file. */
import { requireInstance, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { readSafetensors } from "../io/read-safetensors.ts";
import { writeSafetensors } from "../io/write-safetensors.ts";
import { precisionOf } from "../kernels/rounding.ts";
import { Module } from "../nn/module.ts";
import { stateHash } from "../nn/state-hash.ts";
import { writeFileAtomically } from "./atomic-write.ts";
import { readFrom } from "./read-file.ts";

/** The metadata that holds the hash of names, shapes and values. */
const HASH = "distilgrad.stateHash";

export interface SaveModelOptions {
  /** Texts that are saved with it, such as class names or a licence, by name. Default: none. */
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * Saves weights and buffers, by the names of `stateDict`, as a safetensors file that other programs read. It is there
 * whole or not at all, and has a hash of all names, shapes and values in its metadata.
 *
 * @throws on what `writeSafetensors` refuses, on the metadata "distilgrad.stateHash", which is the hash's, and on errors
 *   of the file system, which leave an old file as it was
 */
export function saveModel(path: string, model: Module, options: SaveModelOptions = {}): void {
  requireInstance("saveModel", "a Module second", model, Module);
  requireOptions("saveModel", options, ["metadata"]);
  const { metadata = new Map() } = options;
  requireInstance("saveModel", "metadata, a Map of texts", metadata, Map);
  if (metadata.has(HASH)) {
    throw new DistilgradError(
      "value",
      `saveModel: metadata "${HASH}" is set by saveModel; take another name`,
    );
  }
  const state = model.stateDict();
  writeFileAtomically(path, writeSafetensors(state, new Map([...metadata, [HASH, stateHash(state)]])));
}

/**
 * Loads what `saveModel` saved, or another program, into a model: all its weights and buffers, and nothing else.
 *
 * @returns the metadata, without the hash
 * @throws, with the path, when the file is torn, was edited after `saveModel`, or does not fit the model in names, shapes
 *   or precision; nothing is loaded then
 */
export function loadModel(path: string, model: Module): Map<string, string> {
  requireInstance("loadModel", "a Module second", model, Module);
  return readFrom("loadModel", path, (bytes) => {
    const { tensors, integers, metadata } = readSafetensors(bytes);
    const own = model.stateTensors();
    for (const name of integers.keys()) {
      throw new DistilgradError("state", `"${name}" is I32, which no weight or buffer is`);
    }
    for (const [name, { kernels }] of tensors) {
      const wanted = own.get(name)?.kernels ?? kernels;
      if (wanted.bytesPerElement !== kernels.bytesPerElement) {
        throw new DistilgradError(
          "state",
          `"${name}" is ${precisionOf(kernels)}, the model's is ${precisionOf(wanted)}`,
        );
      }
    }
    const rest = new Map(metadata);
    const hash = rest.get(HASH);
    rest.delete(HASH);
    if (hash !== undefined && hash !== stateHash(tensors)) {
      throw new DistilgradError(
        "data",
        `expected names, shapes and values with the hash ${hash}, got ${stateHash(tensors)}; the file was edited`,
      );
    }
    model.loadStateDict(tensors);
    return rest;
  });
}
