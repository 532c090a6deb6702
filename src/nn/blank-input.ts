/** Floor 3: what to run a model on when only its shapes are asked for. */
import { zeros } from "../factories.ts";
import { requireShape, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import type { Module } from "./module.ts";

/** The tensor that is given, or zeros of the given shape in the kernel set of the model. */
export function blankInput(where: string, model: Module, input: Shape | Tensor): Tensor {
  if (input instanceof Tensor) return input;
  requireShape(where, input);
  const [state] = model.stateTensors().values();
  return zeros(input, state ? { kernels: state.kernels } : {});
}
