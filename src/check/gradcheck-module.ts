/** Annex: the gradient check of what has weights. */
import { kindOf, requireOptions } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import { float64 } from "../kernels/float64.ts";
import type { Module } from "../nn/module.ts";
import { RandomStream } from "../random.ts";
import { Tensor } from "../tensor.ts";
import { answer, type CheckOptions, commonOptions, inFloat64, labelsOf, settingsOf } from "./gradcheck.ts";
import type { GradcheckReport } from "./prove.ts";
import type { Differentiable } from "./question.ts";
import { type StandIns, standIns } from "./stand-ins.ts";

export interface ModuleCheckOptions extends CheckOptions {
  /**
   * How far parameters are moved for the check, relative to their size, and absolutely where that is below 1: a weight
   * that starts as ones hides a factor that is missing, a bias of zeros a term. 0 leaves them as they are. Default 0.25.
   */
  readonly jitter?: number;
}

/** The names of these options. */
export const moduleOptions = [...commonOptions, "jitter"];

export interface GradcheckModuleOptions extends ModuleCheckOptions {
  /** What is computed from the inputs, by the module and whatever else. Default: the module's `forward` of the first. */
  readonly forward?: Differentiable;
}

/**
 * `gradcheck` of a module, with respect to its inputs and to every parameter that is not frozen.
 *
 *     gradcheckModule(student, [x], { forward: (x) => crossEntropy(student.forward(x), labels) })
 *
 * The module may be of any precision: for each pass, float64 tensors stand in its fields in place of parameters and
 * buffers, and its random streams start again. Afterwards, also when it throws, it is what it was to the last bit. It
 * is checked in the mode that it is in.
 *
 * @param inputs as of `gradcheck`; each must reach the result, and so must every parameter. Indices, such as an
 *   embedding's, have no gradient: leave them out, and let `forward` read them from a float64 tensor
 * @throws GradcheckError that calls parameters by their names, such as `parameter "hidden.weight"`
 */
export function gradcheckModule(
  module: Module,
  inputs: readonly Tensor[],
  options: GradcheckModuleOptions = {},
): GradcheckReport {
  const caller = "gradcheckModule";
  requireOptions(caller, options, [...moduleOptions, "forward"]);
  if (typeof module?.stateTensors !== "function") {
    throw new DistilgradError("value", `${caller}: expected a Module, got ${kindOf(module)}`);
  }
  const { forward = (x: Tensor) => module.forward(x), ...rest } = options;
  if (typeof forward !== "function") {
    throw new DistilgradError("value", `${caller}: forward must be a function, got ${kindOf(forward)}`);
  }
  const name = module.constructor.name;
  return checkWithStandIns(caller, standIns([module]), inFloat64(caller, inputs), forward, { name, ...rest });
}

/** `gradcheck` of `compute` with respect to the parameters of stand-ins, then to its inputs. */
export function checkWithStandIns(
  caller: string,
  stage: StandIns,
  inputs: readonly Tensor[],
  compute: Differentiable,
  { jitter = 0.25, ...options }: ModuleCheckOptions,
): GradcheckReport {
  if (!(typeof jitter === "number" && jitter >= 0 && jitter < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `${caller}: jitter must be a finite number of at least 0, got ${kindOf(jitter)}`,
    );
  }
  const settings = settingsOf(caller, options);
  const random = new RandomStream(settings.seed, "jitter");
  const parameters = [...stage.parameters.values()].map(
    ({ data, shape }) =>
      new Tensor(
        data.map((value) => value + jitter * Math.max(1, Math.abs(value)) * (2 * random.uniform() - 1)),
        shape,
        float64,
      ),
  );
  const all = [...parameters, ...inputs];
  if (all.length === 0) {
    throw new DistilgradError("value", `${caller}: expected a parameter or an input to check, got none`);
  }
  return answer({
    caller,
    fn: (...tensors) =>
      stage.with(tensors.slice(0, parameters.length), () => compute(...tensors.slice(parameters.length))),
    inputs: all,
    labels: [...[...stage.parameters.keys()].map((name) => `parameter "${name}"`), ...labelsOf(inputs)],
    fixed: parameters.length,
    ...settings,
  });
}
