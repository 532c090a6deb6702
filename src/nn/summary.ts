/** Floor 3: what a model is made of, and what a forward pass costs. */
import { requireInstance } from "../arguments.ts";
import { noGrad } from "../graph.ts";
import { formatShape, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { blankInput } from "./blank-input.ts";
import { type Call, Module, watchCalls } from "./module.ts";

/** One module within a model, or one call of it where it is called several times. */
export interface LayerSummary {
  /** As `features` names it; "" for the model itself, where it has parameters or products of its own. */
  readonly name: string;
  /** Its class. */
  readonly type: string;
  /** Of what it computed; null for a module that the forward pass did not call. */
  readonly outputShape: Shape | null;
  /** Numbers of its own that are learned: those of the modules within it are theirs, shared ones are their first owner's. */
  readonly parameters: number;
  /** Of its own products, in this pass. */
  readonly multiplyAdds: number;
}

export interface Summary {
  /** In the order in which they finish, without modules that only hold others. */
  readonly layers: readonly LayerSummary[];
  readonly outputShape: Shape;
  /** How many numbers the model learns, frozen ones included. */
  readonly parameters: number;
  /** How many numbers belong to its state without being learned, such as running statistics. */
  readonly buffers: number;
  /** Of parameters and buffers. */
  readonly bytes: number;
  /**
   * Products of two numbers, each added to a sum, that a pass on this input spends; a floating-point operation is half
   * of one. Elementwise work is not counted, nor are products in a `forward` of your own: give it a `multiplyAdds`.
   */
  readonly multiplyAdds: number;
  /** All of it as a table for people. */
  toString(): string;
}

/**
 * The layers of a model, the shapes between them, their parameters and multiply-adds, for an input of one shape.
 *
 * It runs the model once, in evaluation mode and without a graph: on zeros, or on the tensor that is given.
 *
 *     console.log(`${summary(model, [1, 64])}`)
 *
 * @param input a shape with the batch in front, such as `[1, 3, 32, 32]`, or a tensor where zeros would mean something,
 *   such as padding; costs are those of the whole batch
 */
export function summary(model: Module, input: Shape | Tensor): Summary {
  requireInstance("summary", "a Module", model, Module);
  const parameters = [...model.parameters().values()];
  const buffers = [...model.buffers().values()];
  const x = blankInput("summary", model, input);
  const calls: Call[] = [];
  const modules = model.modules();
  const forward = (): Tensor => model.forward(x);
  const output = model.inEvalMode(() =>
    noGrad(() => watchCalls(modules, (call) => calls.push(call), forward)),
  );

  const layers: LayerSummary[] = [];
  const counted = new Set<Tensor>();
  const add = (name: string, module: Module, call: Pick<Call, "input" | "output"> | null): void => {
    const multiplyAdds = call ? module.multiplyAdds(call.input.shape, call.output.shape) : 0;
    const own = ownParameters(module, counted);
    if (module.children().size > 0 && own === 0 && multiplyAdds === 0) return;
    const outputShape = call ? call.output.shape : null;
    layers.push({ name, type: module.constructor.name, outputShape, parameters: own, multiplyAdds });
  };
  for (const call of calls) add(call.name, call.module, call);
  const called = new Set(calls.map(({ module }) => module));
  for (const [name, module] of modules) if (!called.has(module)) add(name, module, null);
  add("", model, { input: x, output });

  const result = {
    layers,
    outputShape: output.shape,
    parameters: count(parameters),
    buffers: count(buffers),
    bytes: (count(parameters) + count(buffers)) * x.kernels.bytesPerElement,
    multiplyAdds: layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0),
  };
  return { ...result, toString: () => table(x.shape, result) };
}

/** How many numbers a module has beside those of the modules within it and those that were counted before. */
function ownParameters(module: Module, counted: Set<Tensor>): number {
  const inner = new Set<Tensor>();
  for (const child of module.children().values()) {
    for (const parameter of child.parameters().values()) inner.add(parameter);
  }
  const own = [...module.parameters().values()].filter((value) => !inner.has(value) && !counted.has(value));
  for (const value of own) counted.add(value);
  return count(own);
}

const count = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { size }) => sum + size, 0);

function table(inputShape: Shape, result: Omit<Summary, "toString">): string {
  const { layers, outputShape, parameters, buffers, bytes, multiplyAdds } = result;
  const rows = [
    ["layer", "", "output", "parameters", "multiply-adds"],
    ["(input)", "", formatShape(inputShape), "", ""],
    ...layers.map((layer) => [
      layer.name === "" ? "(model)" : layer.name,
      layer.type,
      layer.outputShape ? formatShape(layer.outputShape) : "not called",
      layer.parameters > 0 ? grouped(layer.parameters) : "",
      layer.multiplyAdds > 0 ? grouped(layer.multiplyAdds) : "",
    ]),
    ["total", "", formatShape(outputShape), grouped(parameters), grouped(multiplyAdds)],
  ];
  const widths = rows[0].map((_, column) =>
    rows.reduce((width, row) => (row[column].length > width ? row[column].length : width), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd(),
  );
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const besides = buffers > 0 ? `, with ${grouped(buffers)} numbers that are not learned` : "";
  return [
    lines[0],
    rule,
    ...lines.slice(1, -1),
    rule,
    lines.at(-1),
    `${grouped(bytes)} bytes${besides}`,
  ].join("\n");
}

/** `1,234,567` */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
