/** Floor 6: what came of the checks, as a table of at most 100 columns with the failures below, and as plain data. */
import { kindOf } from "../arguments.ts";
import { GradcheckError, type GradcheckReport } from "../check/index.ts";
import { DistilgradError } from "../errors.ts";
import type { Paint } from "./paint.ts";
import { printable, shortened } from "./printable.ts";
import { type Cell, type Column, tableLines } from "./table.ts";
import { wrap } from "./wrap.ts";

export interface Outcome {
  readonly name: string;
  /** Null where the check threw. */
  readonly report: GradcheckReport | null;
  /** What it threw. */
  readonly thrown?: unknown;
}

const WIDTH = 100;
/** How much of a place is shown; its end says most. */
const WHERE = 40;

const columns: readonly Column[] = [
  { title: ["", "check"], align: "left" },
  { title: ["", "result"], align: "left" },
  { title: ["", "compared"], align: "right" },
  { title: ["largest", "error"], align: "right" },
  { title: ["", "allowed"], align: "right" },
  { title: ["", "where it is largest"], align: "left" },
];

export function printChecks(file: string, outcomes: readonly Outcome[], paint: Paint): string {
  const failed = outcomes.filter(({ report }) => report === null);
  const verdict =
    failed.length === 0
      ? `${outcomes.length === 1 ? "It holds" : `All ${outcomes.length} hold`}: backward is the derivative, as far as differences can tell.`
      : `${failed.length} of ${outcomes.length} ${failed.length === 1 ? "does" : "do"} not hold.`;
  const lines = [
    ...tableLines(columns, outcomes.map(row), WIDTH, paint),
    paint(failed.length === 0 ? "green" : "red", verdict),
    ...failed.flatMap(({ name, thrown }) => ["", paint("bold", shortened(name)), ...reasons(thrown)]),
  ];
  return `${printable(file)}\n\n${lines.join("\n")}\n`;
}

function row({ name, report, thrown }: Outcome): Cell[] {
  if (report === null) return [shortened(name), { text: wordFor(thrown), style: "red" }, "", "", "", ""];
  const { compared, count, error, tolerance, at } = report;
  const [largest, allowed] = [error, tolerance].map((value) => value.toExponential(1));
  const where = printable(at ?? "").replace(/^parameter /, "");
  return [
    shortened(name),
    { text: "ok", style: "green" },
    `${count} ${compared}`,
    largest,
    allowed,
    where.length > WHERE ? `…${where.slice(1 - WHERE)}` : where,
  ];
}

/** What went wrong, in a word. */
function wordFor(error: unknown): string {
  if (!(error instanceof GradcheckError)) return "error";
  if (error.law === "differences") return "wrong";
  return { kink: "kink", nonfinite: "not finite" }[error.code as string] ?? "broken";
}

/** A message's lines, each indented, and wrapped with a deeper indent. */
function reasons(thrown: unknown): string[] {
  return messageOf(thrown)
    .split("\n")
    .flatMap((line) =>
      wrap(printable(line.trim()), WIDTH - 4).map((part, i) => `${i === 0 ? "  " : "    "}${part}`),
    );
}

function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `threw ${kindOf(thrown)}`;
  return thrown instanceof DistilgradError ? thrown.message : `${thrown.name}: ${thrown.message}`;
}

/** The same for programs. */
export function checksAsData(file: string, outcomes: readonly Outcome[]): unknown {
  return {
    file,
    failed: outcomes.filter(({ report }) => report === null).length,
    checks: outcomes.map(({ name, report, thrown }) => {
      if (report !== null) return { ok: true, ...report, name };
      const code = thrown instanceof DistilgradError ? thrown.code : null;
      if (!(thrown instanceof GradcheckError)) return { ok: false, name, code, message: messageOf(thrown) };
      const { law, hint, message } = thrown;
      const { inputs, options } = thrown.case;
      const smallest = { inputs: inputs.map((input) => input.toArray()), options };
      return { ok: false, name, code, law, message, hint, case: smallest };
    }),
  };
}
