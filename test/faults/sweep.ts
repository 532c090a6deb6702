/** Floor 6: sweeps. */
import type { Fault } from "./fault.ts";

const split = { file: "src/cli/sweep-split.ts", tests: ["test/cli/sweep-split.test.ts"] };
const grid = { file: "src/cli/sweep-grid.ts", tests: ["test/cli/sweep-grid.test.ts"] };
const report = { file: "src/cli/sweep-report.ts", tests: ["test/cli/sweep-report.test.ts"] };
const folder = { file: "src/cli/sweep-folder.ts", tests: ["test/cli/sweep-folder.test.ts"] };
const student = { file: "src/cli/sweep-run.ts", tests: ["test/cli/sweep-run.test.ts"] };
const whole = { file: "src/cli/run-sweep.ts", tests: ["test/cli/sweep-command.test.ts"] };

export const sweepFaults: readonly Fault[] = [
  {
    ...split,
    name: "sweep-validates-on-test-rows",
    from: "whole.train.subarray(0, count),",
    to: "whole.test,",
  },
  {
    ...split,
    name: "sweep-learns-validation-rows",
    from: "const train = whole.train.subarray(count);",
    to: "const train = whole.train;",
  },
  {
    ...split,
    name: "sweep-few-of-all-rows",
    from: "fewOf(train.length, few, seed)",
    to: "fewOf(whole.train.length, few, seed)",
  },
  {
    ...grid,
    name: "sweep-alpha-weighs-soft",
    from: "weight: 1 - alpha,",
    to: "weight: alpha,",
  },
  {
    ...grid,
    name: "sweep-last-layer-of-student",
    from: "teacher.length}",
    to: "student.length}",
  },
  {
    ...grid,
    name: "sweep-temperature-for-all-losses",
    from: "(takesTemperature(loss) ? temperatures : [null])",
    to: "temperatures",
  },
  {
    ...grid,
    name: "sweep-terms-without-weight",
    from: ".filter(([, { weight }]) => weight !== 0)",
    to: "",
  },
  {
    ...report,
    name: "sweep-worst-first",
    from: "right(reports[b]) - right(reports[a])",
    to: "right(reports[a]) - right(reports[b])",
  },
  {
    ...report,
    name: "sweep-larger-of-equals",
    from: "reports[a].parameters - reports[b].parameters",
    to: "reports[b].parameters - reports[a].parameters",
  },
  {
    ...report,
    name: "sweep-ranks-by-sums-of-shares",
    from: "Math.round(share * validationRows)",
    to: "share",
  },
  {
    ...report,
    name: "sweep-twin-of-other-widths",
    from: "twins.get(setting.student)!",
    to: "alone[0].validation",
  },
  {
    ...report,
    name: "sweep-default-of-other-widths",
    from: "each.student === student &&",
    to: "",
  },
  {
    ...folder,
    name: "sweep-hash-without-setting",
    from: "JSON.stringify(what)}",
    to: "what.seed}",
  },
  {
    ...folder,
    name: "sweep-hash-without-table",
    from: "version(), tableHash(table), recipe",
    to: "version(), recipe",
  },
  {
    ...folder,
    name: "sweep-hash-without-validation",
    from: "recipe, validation]",
    to: "recipe]",
  },
  {
    ...folder,
    name: "sweep-file-of-another-run",
    from: "file?.hash !== hash ||",
    to: "",
  },
  {
    ...folder,
    name: "sweep-torn-file-stays",
    from: "this.#names.get(short) ?? ",
    to: "",
  },
  {
    ...student,
    name: "sweep-teacher-of-first-seed",
    from: "known?.seed !== run.seed",
    to: "known === null",
  },
  {
    ...student,
    name: "sweep-few-ignored",
    from: 'recipe.labels === null ? "labelled" : "few"',
    to: '"labelled"',
  },
  {
    file: "src/cli/sweep-teacher.ts",
    tests: ["test/cli/sweep-run.test.ts"],
    name: "sweep-edited-teacher",
    from: "metadata.get(HASH) !== stateHash(tensors)",
    to: "metadata.get(HASH) === undefined",
  },
  {
    ...whole,
    name: "sweep-chooses-by-test-rows",
    from: 'judges: "validation" }',
    to: 'judges: "test" }',
    named: "lets no test row",
  },
  {
    ...whole,
    name: "sweep-tests-on-validation-rows",
    from: 'judges: "test" }',
    to: 'judges: "validation" }',
    named: "lets no test row",
  },
  {
    ...whole,
    name: "sweep-part-in-blocks",
    from: "place % shard.count === shard.index",
    to: "Math.floor((place * shard.count) / runs.length) === shard.index",
    named: "gives parts",
  },
  {
    ...whole,
    name: "sweep-trains-what-is-there",
    from: "shard.index && missing.has(run)",
    to: "shard.index",
    named: "goes on where it was",
  },
];
