/** Floor 6: kinds of options. Each reads a text, says what it requires when the text is something else, and nothing more. */

/** One option of a command. */
export interface Option<T> {
  /** What stands for the value in the help, such as `N`; null for a switch. */
  readonly placeholder: string | null;
  readonly help: string;
  /** What it is when it is not given. */
  readonly default: T;
  /** How the help writes the default; left out where there is nothing to say. */
  readonly shownDefault?: string;
  /** The value that a text stands for, or undefined. */
  readonly read: (text: string) => T | undefined;
  /** Ends the sentence "--name must be …". */
  readonly requires: string;
}

interface About<T> {
  readonly help: string;
  readonly default: T;
  readonly placeholder?: string;
  readonly shownDefault?: string;
}

function option<T>(
  about: About<T>,
  placeholder: string,
  requires: string,
  read: (text: string) => T | undefined,
): Option<T> {
  const shown = String(about.default ?? "");
  return { placeholder, ...(shown !== "" && { shownDefault: shown }), ...about, requires, read };
}

/** Given or not given. */
export const flag = (help: string): Option<boolean> => ({
  placeholder: null,
  help,
  default: false,
  requires: "given without a value",
  read: () => undefined,
});

/** A whole number from `least` to `most`. */
export function wholeNumber<D extends number | null>(
  about: About<D> & { readonly least: number; readonly most?: number },
): Option<number | D> {
  const { least, most = Number.MAX_SAFE_INTEGER, ...rest } = about;
  const range =
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`;
  return option<number | D>(rest, "N", range, (text) => {
    const value = decimal(text);
    return Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined;
  });
}

/** A number that `accepts` takes, described by `requires`. */
export const number = (
  about: About<number> & { readonly requires: string; readonly accepts: (value: number) => boolean },
): Option<number> => {
  const { requires, accepts, ...rest } = about;
  return option(rest, "X", requires, (text) => {
    const value = decimal(text);
    return Number.isFinite(value) && accepts(value) ? value : undefined;
  });
};

/** Different numbers, each of which `accepts` takes, such as `1,2,4`. */
export const numbers = (
  about: About<readonly number[]> & {
    readonly requires: string;
    readonly accepts: (value: number) => boolean;
  },
): Option<readonly number[]> => {
  const { requires, accepts, ...rest } = about;
  return option(rest, "X,X", requires, (text) => {
    const found = text.split(",").map(decimal);
    const each = found.every((value) => Number.isFinite(value) && accepts(value));
    return each && new Set(found).size === found.length ? found : undefined;
  });
};

/** The widths of hidden layers, such as `256,256`. */
export const widths = (about: About<readonly number[]>): Option<readonly number[]> =>
  option(
    about,
    "W,W",
    "the widths of hidden layers, whole numbers from 1 to 65536 such as 256,256",
    readWidths,
  );

/** The widths of several networks, such as `16;32;64,32`, or `[[16],[32],[64,32]]` as a configuration file has them. */
export const widthLists = (
  about: About<readonly (readonly number[])[]>,
): Option<readonly (readonly number[])[]> =>
  option(
    about,
    "W;W,W",
    "different widths of hidden layers with semicolons between students, such as 16;32;64,32",
    (text) => {
      const isJson = /^\[\[[\d,[\]]+\]\]$/.test(text);
      const lists = isJson ? text.slice(2, -2).split("],[") : text.split(";");
      const found = lists.flatMap((list) => {
        const read = readWidths(list);
        return read === undefined ? [] : [read];
      });
      return found.length === lists.length && new Set(found.map(String)).size === found.length
        ? found
        : undefined;
    },
  );

function readWidths(text: string): readonly number[] | undefined {
  const found = text.split(",").map(decimal);
  return found.every((width) => Number.isInteger(width) && width >= 1 && width <= 65536) ? found : undefined;
}

/** Different ones of some names, such as `a,b`. */
export const someOf = (
  names: readonly string[],
  about: About<readonly string[]>,
): Option<readonly string[]> =>
  option(about, "NAME,NAME", `different names out of ${names.join(", ")}`, (text) => {
    const found = text.split(",");
    return found.every((name) => names.includes(name)) && new Set(found).size === found.length
      ? found
      : undefined;
  });

/** One of a few words. */
export function choice<const W extends string>(
  words: readonly W[],
  about: About<W> & { readonly requires: string },
): Option<W> {
  const { requires, ...rest } = about;
  return option<W>(rest, words.join("|"), requires, (text) => words.find((word) => word === text));
}

/** Any text that is not empty. */
export const text = (about: About<string>): Option<string> =>
  option(about, "TEXT", "a text that is not empty", (given) => (given === "" ? undefined : given));

/** A value as JSON, which `check` takes apart; what it refuses, it says itself. */
export const json = <T>(
  about: About<T | null> & { readonly requires: string; readonly check: (value: unknown) => T },
): Option<T | null> => {
  const { requires, check, ...rest } = about;
  return option<T | null>(rest, "JSON", requires, (given) => {
    try {
      return check(JSON.parse(given));
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  });
};

/** One character; `tab` and `\t` stand for the one that is hard to type. */
export const character = (about: About<string>): Option<string> =>
  option(about, "C", "one character other than a quote or a line end, or tab", (given) => {
    if (given === "tab" || given === "\\t") return "\t";
    return given.length === 1 && !'"\r\n'.includes(given) ? given : undefined;
  });

/** What a decimal numeral stands for, NaN for any other text: neither "" nor "0x10" nor "1_000" is one. */
function decimal(text: string): number {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
