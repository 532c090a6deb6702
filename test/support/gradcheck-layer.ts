import { gradcheck } from "../../src/check/gradcheck.ts";
import type { Module } from "../../src/nn/module.ts";
import { RandomStream } from "../../src/random.ts";
import { Tensor } from "../../src/tensor.ts";

/**
 * `gradcheck` of a layer in float64, with respect to its inputs and to all of its parameters. These get random values first,
 * since a weight that starts as ones hides a factor that is missing; for each pass a tensor of the check stands in the
 * parameter's field.
 */
export function gradcheckLayer(
  layer: Module,
  inputs: readonly Tensor[],
  forward: (...inputs: Tensor[]) => Tensor = (x) => layer.forward(x),
): void {
  const random = new RandomStream(11, "layer");
  const fields = new Map<unknown, readonly [owner: Module, field: string]>();
  for (const owner of [layer, ...layer.modules().values()]) {
    for (const [field, value] of Object.entries(owner)) fields.set(value, [owner, field]);
  }
  const parameters = [...layer.parameters().values()].map((parameter) => {
    parameter.update((data) => {
      for (let i = 0; i < data.length; i++) data[i] = 1.5 * (2 * random.uniform() - 1);
    });
    const [owner, field] = fields.get(parameter)!;
    return { owner, field, parameter };
  });
  gradcheck(
    (...tensors) => {
      for (const [i, { owner, field }] of parameters.entries()) Reflect.set(owner, field, tensors[i]);
      try {
        return forward(...tensors.slice(parameters.length));
      } finally {
        for (const { owner, field, parameter } of parameters) Reflect.set(owner, field, parameter);
      }
    },
    [
      ...parameters.map(
        ({ parameter: { data, shape, kernels } }) => new Tensor(data.slice(), shape, kernels),
      ),
      ...inputs,
    ],
  );
}
