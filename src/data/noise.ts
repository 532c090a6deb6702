/** Floor 3: how much noise a generated set may have. */
import { kindOf } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";

/** Requires a standard deviation. */
export function requireNoise(where: string, noise: number): void {
  if (!(Number.isFinite(noise) && noise >= 0)) {
    throw new DistilgradError(
      "value",
      `${where}: noise must be a finite standard deviation of at least 0, got ${kindOf(noise)}`,
    );
  }
}
