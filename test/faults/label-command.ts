/** Floor 6: a teacher's answers stored, merged, and learned from by the command line. */
import type { Fault } from "./fault.ts";

const label = ["test/cli/label-command.test.ts"];
const shard = ["test/cli/shard-options.test.ts"];
const stored = ["test/cli/stored-answers.test.ts"];

export const labelCommandFaults: readonly Fault[] = [
  {
    name: "label-unknown-class",
    file: "src/cli/table-teacher.ts",
    from: "  labelsOf(network, name, table, []);\n",
    to: "",
    tests: label,
  },
  {
    name: "label-any-teacher",
    file: "src/cli/table-teacher.ts",
    from: "sha256(await readBytes(path))",
    to: "sha256(new Uint8Array(0))",
    tests: label,
  },
  {
    name: "label-part-of-one",
    file: "src/cli/label-command.ts",
    from: "isFile && count > 1",
    to: "isFile && count > 0",
    tests: label,
  },
  {
    name: "label-top-of-all",
    file: "src/cli/label-command.ts",
    from: "mode.top >= classNames.length",
    to: "mode.top > classNames.length",
    tests: label,
  },
  {
    name: "label-nothing-is-spread",
    file: "src/cli/soft-target-mode.ts",
    from: 'mode.rest === "nothing"',
    to: 'mode.rest === "spread"',
    tests: label,
  },
  {
    name: "label-temporary-name",
    file: "src/cli/soft-target-errors.ts",
    from: '"$1") ?? otherwise',
    to: '"$&") ?? otherwise',
    tests: label,
  },
  {
    name: "merge-names-one-twice",
    file: "src/distill/soft-targets/merge-soft-targets.ts",
    from: "parts[i - 1].name} and",
    to: "parts[i].name} and",
    tests: ["test/node/files/soft-target-files.test.ts"],
  },
  {
    name: "shard-past-the-last",
    file: "src/cli/shard-options.ts",
    from: "return index < count ?",
    to: "return index <= count ?",
    tests: shard,
  },
  {
    name: "shard-launcher-past-the-last",
    file: "src/cli/shard-options.ts",
    from: "if (index >= count)",
    to: "if (index > count)",
    tests: shard,
  },
  {
    name: "shard-option-beside-launcher",
    file: "src/cli/shard-options.ts",
    from: "said.count ?? shards",
    to: "shards ?? said.count",
    tests: shard,
  },
  {
    name: "stored-other-number-of-classes",
    file: "src/cli/stored-answers.ts",
    from: "description.classes === classNames.length",
    to: "description.classes >= classNames.length",
    tests: stored,
  },
  {
    name: "stored-other-temperature",
    file: "src/cli/stored-answers.ts",
    from: "(terms !== null || targets.temperature !== temperature)",
    to: "terms !== null",
    tests: stored,
  },
  {
    name: "stored-impossible-classes",
    file: "src/cli/stored-answers.ts",
    from: 'mode.rest === "nothing"',
    to: "mode.top === 0",
    tests: stored,
  },
  {
    name: "stored-same-run-by-any-teacher",
    file: "src/cli/run-hashes.ts",
    from: "const settings = answers ? ",
    to: "const settings = !recipe ? ",
    tests: stored,
  },
  {
    name: "stored-teacher-is-known",
    file: "src/cli/report.ts",
    from: "const ofTeacher = answers ? null : ",
    to: "const ofTeacher = ",
    tests: stored,
  },
  {
    name: "stored-student-not-smaller",
    file: "src/cli/check-job.ts",
    from: "if (!answers && student >= teacher)",
    to: "if (student >= teacher)",
    tests: stored,
  },
];
