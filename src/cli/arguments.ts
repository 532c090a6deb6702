/** Floor 6: a command's options as one table, from which both the reading of arguments and the help are made. */
import { parseArgs } from "node:util";
import { asArgument, entriesFor, isEntries, readConfig } from "./config.ts";
import { listed, nearestName } from "./nearest-name.ts";
import { flag, type Option } from "./options.ts";
import { printable } from "./printable.ts";
import { UsageError } from "./usage-error.ts";
import { wrap } from "./wrap.ts";

/** Options by name. Which type each has is known through `Values`. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The value of every option of a table. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

export interface Command<Table extends OptionTable> {
  /** How it is called, such as `demo`. */
  readonly name: string;
  /** Its first line in the help, one sentence. */
  readonly summary: string;
  /** What must be given beside options, such as `data.csv`. */
  readonly operands: readonly string[];
  /** What the help says below the summary. */
  readonly about: string;
  readonly options: Table;
}

export interface Arguments<Table extends OptionTable> {
  readonly values: Values<Table>;
  /** The names of the options that were given. */
  readonly given: ReadonlySet<string>;
  readonly operands: readonly string[];
  /** Whether help was asked for; then nothing else was checked. */
  readonly help: boolean;
}

const always = { help: flag("Print this help") };

/**
 * Reads what follows the command's name. An option `config` names a file of more options, which those of the command
 * line go before.
 *
 * @param elsewhere other commands and their options, which a configuration file may hold too
 * @throws UsageError on the first argument that is wrong
 */
export function readArguments<Table extends OptionTable>(
  command: Command<Table>,
  args: readonly string[],
  elsewhere: ReadonlySet<string> = new Set(),
): Arguments<Table> {
  const table: OptionTable = { ...command.options, ...always };
  const fail = (what: string): UsageError => new UsageError(`${command.name}: ${what}`);
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(table).map(([name, { placeholder }]) => [
        name,
        {
          type: placeholder === null ? "boolean" : "string",
          ...(name === "help" && { short: "h" }),
        } as const,
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const help = tokens.some((token) => token.kind === "option" && token.name === "help");
  const values: Record<string, unknown> = {};
  for (const [name, { default: value }] of Object.entries(command.options)) values[name] = value;
  const given = new Set<string>();
  const operands: string[] = [];
  if (help) return { values: values as Values<Table>, given, operands, help };

  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const known = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (known === undefined)
      throw fail(`unknown option ${token.rawName}; ${instead(token.name, Object.keys(table))}`);
    given.add(token.name);
    values[token.name] = readValue(token.name, known, token.value, token.inlineValue === true, fail);
  }
  const fromFile = given.has("config") ? entriesFor(command.name, readConfig(String(values.config))) : [];
  for (const [name, value] of fromFile) {
    const where = `${String(values.config)}: `;
    if (name === "data") {
      if (value === null) continue;
      if (typeof value !== "string")
        throw fail(`${where}data must be the name of a table, got ${JSON.stringify(value)}`);
      const place = command.operands.indexOf("data.csv");
      if (place >= 0 && operands.length === command.operands.length - 1) operands.splice(place, 0, value);
      continue;
    }
    const known =
      name !== "config" && Object.hasOwn(command.options, name) ? command.options[name] : undefined;
    if (known === undefined) {
      if (elsewhere.has(name)) continue;
      const names = Object.keys(command.options).filter((each) => each !== "config");
      throw fail(`${where}unknown option "${printable(name)}"; ${instead(name, [...names, "data"], "")}`);
    }
    // `label` is an option and a command: an object is for the command.
    if (isEntries(value) && elsewhere.has(name) && known.placeholder !== "JSON") continue;
    const text = asArgument(value);
    if (given.has(name) || text === null) continue;
    const inline = known.placeholder === null ? undefined : text;
    if (inline === undefined && value !== true)
      throw fail(`${where}${name} must be true or false, got "${text}"`);
    values[name] = readValue(name, known, inline, true, (what) => fail(`${where}${what}`));
    given.add(name);
  }
  const wanted = command.operands;
  if (operands.length < wanted.length)
    throw fail(
      `expected ${listed(wanted.slice(operands.length))}, got nothing; see distilgrad ${command.name} --help`,
    );
  if (operands.length > wanted.length) {
    throw fail(
      `expected ${wanted.length === 0 ? "options only" : `only ${listed(wanted)}`}, got "${operands[wanted.length]}" besides`,
    );
  }
  const empty = operands.indexOf("");
  if (empty >= 0) throw fail(`expected ${wanted[empty]}, got ""`);
  return { values: values as Values<Table>, given, operands, help };
}

function readValue(
  name: string,
  known: Option<unknown>,
  value: string | undefined,
  inline: boolean,
  fail: (what: string) => UsageError,
): unknown {
  if (known.placeholder === null) {
    if (value !== undefined) throw fail(`--${name} takes no value, got "${value}"`);
    return true;
  }
  if (value === undefined || (!inline && value.startsWith("--"))) {
    throw fail(`--${name} needs a value: ${known.requires}`);
  }
  const read = known.read(value);
  if (read === undefined) throw fail(`--${name} must be ${known.requires}, got "${value}"`);
  return read;
}

/** What to say of a name that does not exist: the one that was probably meant, or all there are. */
export function instead(given: string, names: readonly string[], prefix = "--"): string {
  const near = nearestName(given, names);
  if (near !== null) return `did you mean ${prefix}${near}?`;
  return `possible are ${listed(names.map((name) => prefix + name))}`;
}

/** The help of one command. */
export function helpOf(command: Command<OptionTable>): string {
  const usage = ["distilgrad", command.name, ...command.operands, "[options]"].join(" ");
  return `${wrap(command.summary, 100).join("\n")}\n\nUsage: ${usage}\n\n${wrap(command.about, 100).join("\n")}\n\nOptions:\n${optionLines({ ...command.options, ...always })}\n`;
}

function optionLines(options: OptionTable): string {
  const left = Object.entries(options).map(([name, { placeholder }]) =>
    name === "help" ? "-h, --help" : `    --${name}${placeholder === null ? "" : ` ${placeholder}`}`,
  );
  const width = Math.max(...left.map((text) => text.length));
  return Object.values(options)
    .map(({ help, shownDefault }, i) => {
      const full = shownDefault === undefined ? help : `${help} (default ${shownDefault})`;
      const indent = " ".repeat(width + 4);
      return `  ${left[i].padEnd(width)}  ${wrap(full, 100 - indent.length).join(`\n${indent}`)}`;
    })
    .join("\n");
}
