/** Floor 6: a trained network as a file that says of itself all that is needed to use it. Knows nothing of training. */
import { type Scale, Standardizer } from "../data/standardizer.ts";
import { DistilgradError } from "../errors.ts";
import { readSafetensors } from "../io/read-safetensors.ts";
import type { Module } from "../nn/module.ts";
import type { Sequential } from "../nn/sequential.ts";
import { loadModel, saveModel } from "../node/model-files.ts";
import { RandomStream } from "../random.ts";
import { network } from "./network.ts";
import { printable, shortened } from "./printable.ts";
import { readBytes } from "./read-table.ts";
import { parameterCount } from "./recipe.ts";
import { UsageError } from "./usage-error.ts";

/** All that is said of a network beside its weights. */
export interface NetworkDescription {
  /** What it was in its run, such as `few-taught`. */
  readonly role: string;
  /** The same as reports call it, such as `50 labels, taught`. */
  readonly name: string;
  readonly seed: number;
  /** Widths: features, hidden layers, classes. */
  readonly layers: readonly number[];
  /** How likely a hidden value was dropped in training. */
  readonly dropout: number;
  /** What each logit stands for. */
  readonly classes: readonly string[];
  /** What each input is. */
  readonly features: readonly string[];
  /** What brings features to the network's scale; null where they go in as they are. */
  readonly scale: Scale | null;
  /** Of the run's recipe. */
  readonly recipeHash: string;
  /** Of the table that it was trained on. */
  readonly tableHash: string;
  /** The share of that table's labelled rows that none of the run's models saw. */
  readonly testShare: number;
}

/** A network that was read from a file, in evaluation mode. */
export interface SavedNetwork {
  /** The file's name, as messages and reports have it. */
  readonly file: string;
  readonly description: NetworkDescription;
  readonly model: Sequential;
  readonly standardizer: Standardizer | null;
}

/** What each text of the metadata begins with, so that it is in nobody's way. */
const PREFIX = "distilgrad.";
const FORMAT = "network 1";

/**
 * Saves a network; the file is there whole or not at all.
 *
 * Its metadata are texts, lists and numbers as JSON: y = logits(relu(hiddenN(… relu(hidden1((x − mean) / deviation)))))
 * where each of these layers is W x + b. A constant column has deviation 1.
 */
export function saveNetwork(path: string, model: Module, description: NetworkDescription): void {
  const { scale, ...rest } = description;
  const texts: Record<keyof typeof rest | "format" | "activation" | "mean" | "deviation", string> = {
    format: FORMAT,
    role: rest.role,
    name: rest.name,
    seed: String(rest.seed),
    layers: JSON.stringify(rest.layers),
    activation: "relu",
    dropout: String(rest.dropout),
    classes: JSON.stringify(rest.classes),
    features: JSON.stringify(rest.features),
    mean: JSON.stringify(scale && Array.from(scale.mean)),
    deviation: JSON.stringify(scale && Array.from(scale.deviation, (deviation) => deviation || 1)),
    recipeHash: rest.recipeHash,
    tableHash: rest.tableHash,
    testShare: String(rest.testShare),
  };
  const metadata = new Map(Object.entries(texts).map(([key, text]) => [PREFIX + key, text]));
  saveModel(path, model, { metadata });
}

/**
 * Reads what `saveNetwork` wrote.
 *
 * @throws UsageError, with the file's name, when it cannot be read, is no safetensors file, is another program's, is torn
 *   or was edited
 */
export async function readNetwork(path: string): Promise<SavedNetwork> {
  const file = printable(path);
  const bytes = await readBytes(path);
  if (bytes[8] !== 0x7b) {
    throw new UsageError(
      `${file}: is no safetensors file; distilgrad distill --save writes models as such files`,
    );
  }
  const { tensors, metadata } = refusing(file, "is not whole", () => readSafetensors(bytes));
  const format = metadata.get(`${PREFIX}format`);
  if (format === undefined) {
    throw new UsageError(
      `${file}: is of another program and does not say what its classes and features are, as distilgrad distill --save does`,
    );
  }
  if (format !== FORMAT) {
    throw new UsageError(
      `${file}: expected the format "${FORMAT}", got "${shortened(format)}", which another version of distilgrad wrote`,
    );
  }
  const description = refusing(file, "has wrong metadata", () => describe(metadata));
  const { layers, dropout, scale } = description;
  const size = [...tensors.values()].reduce((sum, tensor) => sum + tensor.size, 0);
  if (size !== parameterCount(layers)) {
    throw new UsageError(
      `${file}: expected ${parameterCount(layers)} weights and biases for the layers ${layers.join("-")}, got ${size}`,
    );
  }
  const random = new RandomStream(0, "overwritten");
  const model = network(layers, dropout, { init: random, dropout: random });
  refusing(file, "cannot be loaded", () => loadModel(path, model));
  model.eval();
  return { file, description, model, standardizer: scale && new Standardizer(scale) };
}

/** Requires a model and then a table, as far as their names tell. @throws UsageError */
export function requireModelFirst(command: string, model: string, data: string): void {
  if (model.endsWith(".safetensors") || !data.endsWith(".safetensors")) return;
  throw new UsageError(
    `${command}: expected the model first and the table second, got them the other way round: ${command} ${printable(data)} ${printable(model)}`,
  );
}

/** What `read` returns; what it refuses is refused in one sentence that begins with the file. */
function refusing<T>(file: string, problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DistilgradError)) throw error;
    const reason = error.message.replace(/^(readSafetensors|loadModel: .*?): /, "");
    throw new UsageError(`${file}: ${problem}: ${printable(reason)}`, { cause: error });
  }
}

/** The description in a file's metadata. @throws DistilgradError on what is missing or makes no sense */
function describe(metadata: ReadonlyMap<string, string>): NetworkDescription {
  const textOf = (key: string): string => {
    const text = metadata.get(PREFIX + key);
    if (text === undefined) throw new DistilgradError("data", `expected "${PREFIX}${key}", got none`);
    return text;
  };
  const jsonOf = <T>(key: string, what: string, fits: (value: unknown) => value is T): T => {
    const text = textOf(key);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (fits(value)) return value;
    throw new DistilgradError("data", `expected "${PREFIX}${key}" to be ${what}, got ${shortened(text)}`);
  };
  const layers = jsonOf("layers", "widths such as [64,32,10]", areWidths);
  const names = (key: string, count: number): readonly string[] =>
    jsonOf(key, `${count} different names`, (value): value is string[] => areNames(value, count));
  const isShare = (value: unknown): value is number => isNumber(value) && value >= 0 && value < 1;
  const numbers = (key: string, least: number): readonly number[] | null =>
    jsonOf(
      key,
      `null or ${layers[0]} numbers${least > 0 ? " above 0" : ""}`,
      (value): value is number[] | null =>
        value === null ||
        (isList(value) &&
          value.length === layers[0] &&
          value.every((each) => isNumber(each) && each >= least)),
    );
  const [mean, deviation] = [
    numbers("mean", Number.NEGATIVE_INFINITY),
    numbers("deviation", Number.MIN_VALUE),
  ];
  if ((mean === null) !== (deviation === null)) {
    throw new DistilgradError(
      "data",
      `expected both "${PREFIX}mean" and "${PREFIX}deviation", or null twice`,
    );
  }
  return {
    role: textOf("role"),
    name: textOf("name"),
    seed: jsonOf(
      "seed",
      "a whole number",
      (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
    ),
    layers,
    dropout: jsonOf("dropout", "a number from 0 to below 1", isShare),
    classes: names("classes", layers[layers.length - 1]),
    features: names("features", layers[0]),
    scale: mean && deviation && { mean, deviation },
    recipeHash: textOf("recipeHash"),
    tableHash: textOf("tableHash"),
    testShare: jsonOf("testShare", "a number from 0 to below 1", isShare),
  };
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const areWidths = (value: unknown): value is number[] =>
  isList(value) &&
  value.length >= 2 &&
  value.every((width) => Number.isSafeInteger(width) && (width as number) >= 1);

const areNames = (value: unknown, count: number): value is string[] =>
  isList(value) &&
  value.length === count &&
  value.every((name) => typeof name === "string") &&
  new Set(value).size === count;
