import { kindOf, requireInstance } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { NamedTensors } from "../nn/module.ts";

/**
 * Shortens the gradient of all parameters together to a length of at most `maxNorm`; its direction stays.
 *
 *     n = √ Σ g²        g ← g · maxNorm / n   where n > maxNorm
 *
 * @returns n, before clipping
 * @throws when n is not finite: then clipping would only spread the fault
 * @see Pascanu, Mikolov & Bengio (2013), arXiv 1211.5063, §3.2
 */
export function clipGradNorm(parameters: NamedTensors, maxNorm: number): number {
  requireInstance("clipGradNorm", "parameters by name, as model.parameters() gives them", parameters, Map);
  requireLimit("clipGradNorm", "maxNorm", maxNorm);
  const norm = gradientNorm("clipGradNorm", parameters);
  if (norm > maxNorm) {
    const factor = maxNorm / norm;
    for (const parameter of parameters.values()) {
      parameter.grad?.update((gradient) => {
        for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
      });
    }
  }
  return norm;
}

/**
 * How long the gradient of all parameters together is.
 *
 * @throws when that is not finite, naming a parameter: a step along it would leave nothing of the model
 */
export function gradientNorm(where: string, parameters: NamedTensors): number {
  let squares = 0;
  for (const [name, parameter] of parameters) {
    const gradient = parameter.grad?.data;
    const own = gradient ? parameter.kernels.dot(gradient, gradient) : 0;
    if (own - own !== 0) {
      throw new DistilgradError("nonfinite", `${where}: the gradient of "${name}" is not finite`);
    }
    squares += own;
  }
  return Math.sqrt(squares);
}

/** Cuts every entry of every gradient to [−limit, limit]. NaN stays NaN. */
export function clipGradValue(parameters: NamedTensors, limit: number): void {
  requireInstance("clipGradValue", "parameters by name, as model.parameters() gives them", parameters, Map);
  requireLimit("clipGradValue", "limit", limit);
  for (const parameter of parameters.values()) {
    parameter.grad?.update((gradient) => {
      for (let i = 0; i < gradient.length; i++) gradient[i] = Math.max(-limit, Math.min(limit, gradient[i]));
    });
  }
}

function requireLimit(where: string, name: string, value: number): void {
  if (!(typeof value === "number" && value > 0)) {
    throw new DistilgradError("value", `${where}: ${name} must be above 0, got ${kindOf(value)}`);
  }
}
