/** Floor 6: which table a command works on, and the options that say how it is written. */
import { builtInNames, builtInTable, type NamedTable } from "./built-in-tables.ts";
import { listed } from "./nearest-name.ts";
import { character, choice, text } from "./options.ts";
import { readTable, tableName } from "./read-table.ts";
import { UsageError } from "./usage-error.ts";

export const tableOptions = {
  label: text({
    help: "The column of the classes: first, last, a name, or an index from 0",
    placeholder: "COLUMN",
    default: "last",
  }),
  separator: character({ help: "What stands between two fields; tab for a tabulator", default: "," }),
  header: choice(["auto", "yes", "no"], {
    help: "Whether the first row names the columns",
    default: "auto",
    requires: "auto, yes or no",
  }),
};

/** What the help says of the operand. */
export const aboutTables = `data.csv holds a row for each sample: numbers, and one column with the name of its class; - reads standard input, and ${listed(builtInNames, "or")} stands for a table that comes with the program.`;

interface TableValues {
  readonly label: string;
  readonly separator: string;
  readonly header: "auto" | "yes" | "no";
}

/**
 * The table that an operand names.
 *
 * @param given the options that were given: those about files make no sense for a table without one
 * @throws UsageError when there is none to be had
 */
export async function readNamedTable(
  command: string,
  operand: string,
  { label, separator, header }: TableValues,
  given: ReadonlySet<string>,
  readInput: () => Promise<Uint8Array>,
): Promise<NamedTable> {
  const builtIn = builtInTable(operand);
  if (builtIn) {
    const needless = Object.keys(tableOptions).find((name) => given.has(name));
    if (needless === undefined) return builtIn;
    throw new UsageError(
      `${command}: --${needless} is about files, and ${operand} comes with the program; write ./${operand} for a file of that name`,
    );
  }
  const headers = { auto: "auto", yes: true, no: false } as const;
  const table = await readTable(operand, { label, separator, header: headers[header] }, readInput);
  return { name: tableName(operand), table, standardize: true };
}
