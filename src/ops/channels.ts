/** Floor 2: what convolutions ask of channels: groups, and a bias that all positions of a channel share. */
import { requireInstance, requireWhole } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { sumChannels } from "../kernels/channels.ts";
import { formatShape, type Shape, sizeOf } from "../shape.ts";
import { type PartialDerivative, Tensor, wrt } from "../tensor.ts";

/** Requires channels that fall into groups of one size, and returns that size. */
export function requireGroups(op: string, name: string, channels: number, groups: number): number {
  if (channels % groups !== 0) {
    throw new DistilgradError(
      "shape",
      `${op}: ${channels} channels ${name} do not fall into ${groups} equal groups`,
    );
  }
  return channels / groups;
}

/** Requires channels in and out, for a layer, that fall into groups of one size, and returns how many a group has. */
export function requireChannels(
  where: string,
  inputs: number,
  outputs: number,
  groups: number,
): readonly [inputs: number, outputs: number] {
  requireWhole(where, "in", inputs, 1);
  requireWhole(where, "out", outputs, 1);
  return [requireGroups(where, "in", inputs, groups), requireGroups(where, "out", outputs, groups)];
}

/** What to do about an x that is flat, or has its channels last; nothing, where it has neither look. */
export function layoutHint(x: Shape, channels: number, rank: number): string {
  if (x.length === 2) return "; give flat rows a shape with Reshape";
  if (x.length !== rank || x[1] === channels || x[rank - 1] !== channels) return "";
  return `; channels come before positions: permute(x, [0, ${rank - 1}, ${x
    .slice(2)
    .map((_, i) => i + 1)
    .join(", ")}])`;
}

/** Requires a bias or none: options that stand in its place would be taken for one. */
export function requireBiasOrNone(op: string, bias: unknown): void {
  if (bias != null) requireInstance(op, "a bias third, or null, and options fourth", bias, Tensor);
}

/** Requires one value for each channel that a weight makes. */
export function requireChannelBias(op: string, bias: Tensor, channels: number, weight: Tensor): void {
  if (bias.shape.length !== 1 || bias.size !== channels) {
    throw new DistilgradError(
      "shape",
      `${op}: expected bias [${channels}] for weight ${formatShape(weight.shape)}, got ${formatShape(bias.shape)}`,
    );
  }
}

/** db = Σ dy over samples and positions, for a y of a shape `[samples, channels, …]`. */
export const wrtChannelBias = (bias: Tensor, [, , ...plane]: Shape): PartialDerivative =>
  wrt(bias, (db, dy) => sumChannels(bias.kernels, db, dy, sizeOf(plane)));
