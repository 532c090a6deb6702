/** Floor 6: `distilgrad merge`: the parts of a teacher's answers as one file. */
import { dirname } from "node:path";
import { loadSoftTargetShards, saveSoftTargets } from "../node/soft-target-files.ts";
import type { Arguments, Command } from "./arguments.ts";
import { makeFolder } from "./make-folder.ts";
import { counted } from "./model-names.ts";
import { text } from "./options.ts";
import { printable } from "./printable.ts";
import type { Surroundings } from "./run-job.ts";
import { refusing } from "./soft-target-errors.ts";
import { modeName } from "./soft-target-mode.ts";
import { config } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

const options = {
  out: text({
    help: "The file that gets all answers, such as answers.softtargets",
    placeholder: "FILE",
    default: "",
  }),
  config,
};

export const mergeCommand: Command<typeof options> = {
  name: "merge",
  summary: "Joins the parts of a teacher's answers that several processes stored.",
  operands: ["folder"],
  about:
    "folder is what distilgrad label --out named. The file has the bytes that one process would have written. Parts that " +
    "are missing, there twice, torn, or of another teacher, table or mode are refused.",
  options,
};

export async function runMerge(
  { values, operands }: Arguments<typeof options>,
  { stdout }: Surroundings,
): Promise<void> {
  const [folder] = operands;
  const { out } = values;
  if (out === "") {
    throw new UsageError(
      "merge: --out is missing: the file that gets all answers, such as answers.softtargets",
    );
  }
  const targets = refusing("merge", folder, () => loadSoftTargetShards(folder));
  refusing("merge", out, () => {
    makeFolder(dirname(out));
    saveSoftTargets(out, targets);
  });
  const { rows, classes, mode } = targets.description;
  stdout.write(
    `${printable(out)}: answers to ${counted(rows, "row")}, ${counted(classes, "class", "classes")}, ${modeName(mode)}\n`,
  );
}
