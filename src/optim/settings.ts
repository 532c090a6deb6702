/** Floor 3: what an update rule can be told, for all parameters or for a group of them, and what is refused. */
import { kindOf, requireFlag as requireBoolean } from "../arguments.ts";
import { DistilgradError } from "../errors.ts";
import type { NamedTensors } from "../nn/module.ts";

/** What a rule can be told besides the learning rate. */
export type Settings<Options> = Required<Omit<Options, "learningRate">>;

/** Parameters with settings of their own. What a group leaves out is as the optimizer's options say. */
export type ParameterGroup<Options> = Partial<Settings<Options>> & {
  readonly parameters: NamedTensors;
  /** At least 0: what the optimizer's learning rate is multiplied with here. Default 1. */
  readonly learningRateFactor?: number;
};

/** What an optimizer moves: parameters by name, as `model.parameters()` gives them, or a list of groups of them. */
export type GroupedParameters<Options> = NamedTensors | readonly ParameterGroup<Options>[];

/** For each setting its default, and what refuses a wrong one. */
export type SettingsTable<Options> = {
  readonly [Name in keyof Settings<Options>]: readonly [
    byDefault: Settings<Options>[Name],
    check: (name: string, value: Settings<Options>[Name], all: Settings<Options>) => void,
  ];
};

/** The settings of a group: its own, else the optimizer's, else the rule's. */
export function settle<Options>(
  table: SettingsTable<Options>,
  group: ParameterGroup<Options>,
  options: Options,
): Settings<Options> {
  const names = Object.keys(table) as (keyof Settings<Options>)[];
  const settings = Object.fromEntries(
    names.map((name) => [
      name,
      group[name] ?? (options as Partial<Settings<Options>>)[name] ?? table[name][0],
    ]),
  ) as Settings<Options>;
  for (const name of names) table[name][1](name as string, settings[name], settings);
  return settings;
}

/** Requires a finite setting of at least 0. */
export function requireAtLeast0(name: string, value: number | undefined): number {
  if (!(typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new DistilgradError(
      "value",
      `optimizer: ${name} must be a finite number of at least 0, got ${kindOf(value)}`,
    );
  }
  return value;
}

/** Requires a decay rate in [0, 1). */
export function requireFraction(name: string, value: number): void {
  if (!(typeof value === "number" && value >= 0 && value < 1)) {
    throw new DistilgradError("value", `optimizer: ${name} must be in [0, 1), got ${kindOf(value)}`);
  }
}

/** Requires an ε: without one, a weight that has had no gradient would be moved by 0 / 0. */
export function requireEpsilon(name: string, value: number): void {
  if (requireAtLeast0(name, value) === 0) {
    throw new DistilgradError("value", `optimizer: ${name} must be above 0, or a zero gradient gives 0 / 0`);
  }
}

/** Requires true or false. */
export function requireFlag(name: string, value: boolean): void {
  requireBoolean("optimizer", name, value);
}
