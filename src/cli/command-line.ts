/** Floor 6: which command is meant, and with which code the program ends. */
import {
  type Arguments,
  type Command,
  helpOf,
  instead,
  type OptionTable,
  readArguments,
} from "./arguments.ts";
import { demo, runDemo } from "./digits-demo.ts";
import { distill, runDistill } from "./distill-command.ts";
import { evaluateCommand, runEvaluate } from "./evaluate-command.ts";
import { gradcheckCommand, runGradcheck } from "./gradcheck-command.ts";
import { labelCommand, runLabel } from "./label-command.ts";
import { mergeCommand, runMerge } from "./merge-command.ts";
import type { Surroundings } from "./run-job.ts";
import { runSweepCommand, sweepCommand } from "./sweep-command.ts";
import { UsageError } from "./usage-error.ts";
import { version } from "./version.ts";
import { wrap } from "./wrap.ts";

interface Runnable {
  readonly command: Command<OptionTable>;
  /** @param elsewhere all commands and their options, which a configuration file may hold */
  readonly start: (
    args: readonly string[],
    surroundings: Surroundings,
    elsewhere: ReadonlySet<string>,
  ) => Promise<void>;
}

const runnable = <Table extends OptionTable>(
  command: Command<Table>,
  run: (args: Arguments<Table>, surroundings: Surroundings) => Promise<void>,
): Runnable => ({
  command,
  async start(args, surroundings, elsewhere) {
    const read = readArguments(command, args, elsewhere);
    if (read.help) surroundings.stdout.write(helpOf(command));
    else await run(read, surroundings);
  },
});

/** In the order in which they are used. */
const runnables: readonly Runnable[] = [
  runnable(demo, runDemo),
  runnable(distill, runDistill),
  runnable(sweepCommand, runSweepCommand),
  runnable(evaluateCommand, runEvaluate),
  runnable(labelCommand, runLabel),
  runnable(mergeCommand, runMerge),
  runnable(gradcheckCommand, runGradcheck),
];

/** What a program ends with. */
export const ExitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Does what the arguments ask for. What went wrong is said in one sentence on standard error.
 *
 * @returns the code to end with
 */
export async function commandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await dispatch(args, surroundings);
    return ExitCode.done;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    surroundings.stderr.write(`distilgrad: ${message}\n`);
    return error instanceof UsageError ? ExitCode.usage : ExitCode.failed;
  }
}

async function dispatch([name, ...rest]: readonly string[], surroundings: Surroundings): Promise<void> {
  const { stdout } = surroundings;
  if (name === undefined || ["--help", "-h", "help"].includes(name)) {
    stdout.write(help());
    return;
  }
  if (name === "--version") {
    stdout.write(`${version()}\n`);
    return;
  }
  const names = runnables.map(({ command }) => command.name);
  const asked = runnables.find(({ command }) => command.name === name);
  if (asked === undefined) {
    if (name.startsWith("-")) {
      throw new UsageError(
        `unknown option ${name} before a command; ${instead(name, ["--help", "--version"], "")}`,
      );
    }
    throw new UsageError(`unknown command "${name}"; ${instead(name, names, "")}`);
  }
  const elsewhere = new Set(
    runnables.flatMap(({ command }) => [command.name, ...Object.keys(command.options)]),
  );
  await asked.start(rest, surroundings, elsewhere);
}

function help(): string {
  const lines = runnables.map(({ command }) => {
    const call = [command.name, ...command.operands].join(" ");
    const below = `\n${" ".repeat(21)}`;
    const left = call.length < 19 ? call.padEnd(19) : call + below;
    return `  ${left}${wrap(command.summary, 78).join(below)}`;
  });
  return `distilgrad: knowledge distillation on an autograd engine of its own

Usage: distilgrad <command> [options]

Commands:
${lines.join("\n")}

Options:
  -h, --help         Print this help; after a command, the help of that command
      --version      Print the version
`;
}
