/** Floor 6: what the options mean, and what a seed trains. */
import type { Fault } from "./fault.ts";

const seed = { tests: ["test/cli/run-seed.test.ts"] };
const config = { file: "src/cli/arguments.ts", tests: ["test/cli/config.test.ts"] };
const terms = { tests: ["test/cli/term-settings.test.ts"] };

export const commandLineFaults: readonly Fault[] = [
  {
    ...seed,
    name: "several-teachers-start-alike",
    file: "src/cli/trainings.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the source says
    from: 'member === 0 ? "" : ` ${member + 1}`',
    to: '""',
  },
  {
    ...seed,
    name: "several-teachers-at-temperature-1",
    file: "src/cli/trainings.ts",
    from: "new Ensemble(models, { temperature })",
    to: "new Ensemble(models)",
  },
  {
    ...seed,
    name: "several-teachers-tested-softened",
    file: "src/cli/run-seed.ts",
    from: "const answering = model instanceof Ensemble ? model.at(1) : model;",
    to: "const answering = model;",
  },
  {
    ...terms,
    name: "no-labels-but-their-terms",
    file: "src/cli/term-settings.ts",
    from: "([, term]) => withLabels || !needsLabels(term)",
    to: "() => true",
  },
  {
    ...terms,
    name: "hidden-layers-teach-answers",
    file: "src/cli/term-settings.ts",
    from: 'layers.some(([studentLayer]) => studentLayer === "logits")',
    to: "layers.length > 0",
  },
  {
    ...terms,
    name: "schedules-looked-at-where-they-begin",
    file: "src/cli/check-job.ts",
    from: "Math.floor(place * (steps - 1))",
    to: "0",
  },
  {
    ...terms,
    name: "schedules-looked-at-behind-the-end",
    file: "src/cli/check-job.ts",
    from: "Math.floor(place * (steps - 1))",
    to: "Math.floor(place * steps)",
  },
  {
    ...seed,
    name: "progress-in-work-done",
    file: "src/cli/run-seed.ts",
    from: "done: (before + (step / steps) * share) / total",
    to: "done: before + (step / steps) * share",
  },
  {
    ...terms,
    name: "decoupled-without-labels",
    file: "src/cli/term-settings.ts",
    from: 'loss === "crossEntropy" || loss === "decoupledDistillationLoss"',
    to: 'loss === "crossEntropy"',
  },
  {
    ...terms,
    name: "schedule-without-its-base",
    file: "src/cli/term-settings.ts",
    from: "return scheduled(base, ",
    to: "return scheduled(1, ",
  },
  {
    ...terms,
    name: "relations-projected",
    file: "src/cli/term-settings.ts",
    from: "!ofAnyWidth.has(settings.loss)",
    to: "true",
  },
  {
    ...config,
    name: "config-before-the-command-line",
    from: "if (given.has(name) || text === null) continue;",
    to: "if (text === null) continue;",
  },
  {
    ...config,
    name: "config-of-unknown-options",
    from: "if (elsewhere.has(name)) continue;",
    to: "continue;",
  },
  {
    ...config,
    name: "config-data-before-the-operand",
    from: "if (place >= 0 && operands.length === command.operands.length - 1)",
    to: "if (place >= 0)",
  },
  {
    name: "config-common-before-own",
    file: "src/cli/config.ts",
    from: "[...Object.entries(own?.[1] ?? {}), ...entries.filter((entry) => entry !== own)]",
    to: "[...entries.filter((entry) => entry !== own), ...Object.entries(own?.[1] ?? {})]",
    tests: ["test/cli/config.test.ts"],
  },
  {
    name: "multiply-adds-of-one-network",
    file: "src/cli/report.ts",
    from: "const parameters = count * parameterCount(layers);",
    to: "const parameters = parameterCount(layers);",
    tests: ["test/cli/distill-command.test.ts"],
  },
  {
    name: "shares-of-losses-not-gradients",
    file: "src/cli/run-seed.ts",
    from: "sum === 0 ? 0 : norm / sum",
    to: "norm",
    tests: ["test/cli/term-settings.test.ts"],
  },
];
