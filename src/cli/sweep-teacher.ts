/** Floor 6: a sweep's teacher as the bytes of a safetensors file, which cross to processes and lie in folders. */
import { DistilgradError } from "../errors.ts";
import { readSafetensors } from "../io/read-safetensors.ts";
import { writeSafetensors } from "../io/write-safetensors.ts";
import type { Module } from "../nn/module.ts";
import { stateHash } from "../nn/state-hash.ts";
import { RandomStream } from "../random.ts";
import { network } from "./network.ts";

const ACCURACY = "distilgrad.validationAccuracy";
const HASH = "distilgrad.stateHash";

export interface SavedTeacher {
  /** In evaluation mode. */
  readonly model: Module;
  /** On validation rows. */
  readonly accuracy: number;
}

/** The same bytes for the same teacher. */
export function teacherBytes(model: Module, accuracy: number): Uint8Array {
  const state = model.stateDict();
  return writeSafetensors(
    state,
    new Map([
      [ACCURACY, String(accuracy)],
      [HASH, stateHash(state)],
    ]),
  );
}

/** @throws DistilgradError on bytes that are not whole, were edited, or are of other layers */
export function readTeacher(bytes: Uint8Array, layers: readonly number[]): SavedTeacher {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.get(HASH) !== stateHash(tensors)) {
    throw new DistilgradError("data", "readTeacher: the weights are not those that were written");
  }
  const model = network(layers, 0, { init: new RandomStream(0, "overwritten") });
  model.loadStateDict(tensors);
  return { model: model.eval(), accuracy: Number(metadata.get(ACCURACY)) };
}
