/** What a seeded fault is: one wrong place in the source, and who should notice. */

export interface Fault {
  /** What is wrong, in a word that `--only` can take. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** What stands there exactly once. */
  readonly from: string;
  /** What a slip would have written. */
  readonly to: string;
  /** The files of which a test should fail. */
  readonly tests: readonly string[];
  /** Which of their tests run, as vitest's `-t` has it. Default: all. */
  readonly named?: string;
}

/** The generated checks of one op: its values, its derivatives, both precisions. */
export const ofOp = (op: string): Pick<Fault, "tests" | "named"> => ({
  tests: ["test/ops/ops.test.ts"],
  named: `^${op} `,
});

/** The source with the fault in it. @throws where `from` does not stand there exactly once */
export function inject(source: string, { name, file, from, to }: Fault): string {
  const parts = source.split(from);
  if (parts.length !== 2) {
    throw new Error(`${name}: expected its text once in ${file}, found it ${parts.length - 1} times`);
  }
  return parts.join(to);
}
