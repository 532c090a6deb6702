/** Floor 6: `distilgrad label`: a saved teacher's answers to a table, all of them or one part, in a file. */
import { dirname } from "node:path";
import { shardRows } from "../distill/soft-targets/shard-rows.ts";
import { recordSoftTargetShard, recordUnlessThere } from "../node/soft-target-files.ts";
import type { Arguments, Command } from "./arguments.ts";
import { aboutTables, readNamedTable, tableOptions } from "./data-options.ts";
import { makeFolder } from "./make-folder.ts";
import { grouped } from "./model-names.ts";
import { requireModelFirst } from "./network-file.ts";
import { flag, text } from "./options.ts";
import { printable } from "./printable.ts";
import type { Surroundings } from "./run-job.ts";
import { chosenShard, shardOptions } from "./shard-options.ts";
import { refusing } from "./soft-target-errors.ts";
import { modeName, softTargetMode } from "./soft-target-mode.ts";
import { readTableTeacher, rowsOf } from "./table-teacher.ts";
import { config } from "./training-options.ts";
import { UsageError } from "./usage-error.ts";

/** What a file of answers ends in; a name without it is a folder's. */
const SUFFIX = ".softtargets";

const options = {
  ...tableOptions,
  out: text({
    help: `Where answers go: a file if it ends in ${SUFFIX}, else a folder that gets a file for each part`,
    placeholder: "PATH",
    default: "",
  }),
  mode: softTargetMode,
  ...shardOptions,
  config,
  json: flag("Print what was done as JSON"),
};

export const labelCommand: Command<typeof options> = {
  name: "label",
  summary: "Stores a saved teacher's answers to every row of a table.",
  operands: ["teacher.safetensors", "data.csv"],
  about:
    "teacher.safetensors is a file that distilgrad distill --save wrote. Answers are found again by the rows' values: " +
    "distill --soft-targets teaches students from them where the teacher is not. Several processes can share the work; " +
    "distilgrad merge joins their parts. A file that is there already is left as it is, if it holds these answers. " +
    aboutTables,
  options,
};

export async function runLabel(
  { values, given, operands }: Arguments<typeof options>,
  { stdout, environment, readInput }: Surroundings,
): Promise<void> {
  const { out, mode, json } = values;
  const [model, data] = operands;
  requireModelFirst("label", model, data);
  if (out === "") {
    throw new UsageError(
      `label: --out is missing: a folder such as answers, or a file such as answers${SUFFIX}`,
    );
  }
  const isFile = out.endsWith(SUFFIX);
  const { index, count, source } = chosenShard("label", values, environment);
  const says = source === null ? "" : `, as ${source} says`;
  if (isFile && count > 1) {
    throw new UsageError(
      `label: --out must be a folder for part ${index}/${count}${says}, got the file ${printable(out)}`,
    );
  }
  const { name, table } = await readNamedTable("label", data, values, given, readInput);
  const { file, teacher, teacherName, classNames } = await readTableTeacher(model, name, table);
  if (typeof mode === "object" && mode.top >= classNames.length) {
    throw new UsageError(
      `label: --mode ${modeName(mode)} must keep fewer than the ${classNames.length} classes of ${file}; to keep all, take float32`,
    );
  }
  const rows = rowsOf(table);
  const recording = { mode, teacherName, classNames, shard: { index, count } };
  const { path, recorded } = refusing("label", out, () => {
    makeFolder(isFile ? dirname(out) : out);
    return isFile
      ? { path: out, recorded: recordUnlessThere("recordSoftTargets", out, teacher, rows, recording) }
      : recordSoftTargetShard(out, teacher, rows, recording);
  });

  const { start, end } = shardRows(table.rows, index, count);
  if (json) {
    const part = { index, count, source };
    const answers = { mode: modeName(mode), rows: table.rows, start, end, part };
    const whose = { teacher: teacherName, classes: classNames };
    stdout.write(`${JSON.stringify({ path, recorded, ...answers, ...whose }, null, 2)}\n`);
    return;
  }
  const which = count === 1 ? "" : ` (part ${index}/${count}${says})`;
  const answered = `rows ${grouped(start)} to ${grouped(end - 1)} of ${grouped(table.rows)}${which}`;
  stdout.write(`${printable(path)}: ${answered}${recorded ? "" : ", there already"}\n`);
}
