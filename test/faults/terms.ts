/** Floor 4: the trainer of terms, what it announces and what it finds. */
import type { Fault } from "./fault.ts";

const trainer = {
  file: "src/distill/distillation-trainer.ts",
  tests: ["test/distill/distillation-trainer.test.ts"],
};
const base = { file: "src/distill/trainer.ts", tests: ["test/distill/distillation-trainer.test.ts"] };
const terms = { file: "src/distill/terms.ts", tests: ["test/distill/distillation-trainer.test.ts"] };
const lint = { file: "src/distill/lint.ts", tests: ["test/distill/lint.test.ts"] };
const plan = { tests: ["test/distill/plan.test.ts"] };

export const termFaults: readonly Fault[] = [
  {
    ...trainer,
    name: "term-without-its-weight",
    from: "const weighted = weight === 1 ? value : scale(value, weight);",
    to: "const weighted = value;",
  },
  {
    ...trainer,
    name: "term-total-is-the-last",
    from: "total = total === null ? weighted : add(total, weighted);",
    to: "total = weighted;",
  },
  {
    ...trainer,
    name: "term-reported-with-its-weight",
    from: "values[name] = value;",
    to: "values[name] = scale(value, weight);",
  },
  {
    ...trainer,
    name: "term-of-weight-0-computed",
    from: "const active = all.filter(([, , weight]) => weight > 0);",
    to: "const active = all;",
  },
  {
    ...trainer,
    name: "terms-share-of-rows-for-labels",
    from: "return scale(hard, share.labelled);",
    to: "return scale(hard, share.rows);",
  },
  {
    ...trainer,
    name: "terms-without-share",
    from: "return scale(loss, share.rows);",
    to: "return loss;",
  },
  {
    ...trainer,
    name: "terms-idle-always",
    from: "return this.#active().length < this.#terms.length;",
    to: "return true;",
  },
  {
    ...trainer,
    name: "terms-idle-never",
    from: "return this.#active().length < this.#terms.length;",
    to: "return false;",
  },
  {
    ...trainer,
    name: "terms-projection-forgotten",
    file: "src/distill/compare-layers.ts",
    from: "onSameSides(projection?.forward(own) ?? own, wanted)",
    to: "onSameSides(own, wanted)",
  },
  {
    ...trainer,
    name: "terms-last-pair-only",
    from: ".reduce((a, b) => add(a, b));",
    to: ".reduce((_, b) => b);",
  },
  {
    ...trainer,
    name: "terms-stored-answers-ignored",
    from: 'if (this.#reads("logits")) part.teacherLogits ??=',
    to: 'if (this.#reads("logits")) part.teacherLogits =',
  },
  {
    ...trainer,
    name: "terms-stored-answers-lost-beside-layers",
    from: "part.teacherLogits ??= asked.logits;",
    to: "part.teacherLogits = asked.logits;",
  },
  {
    ...trainer,
    name: "terms-take-unsaid-temperatures",
    from: "teacher, temperature ?? 1);",
    to: "teacher, temperature ?? (teacher as { onlyTemperature?: number }).onlyTemperature ?? 1);",
  },
  {
    ...trainer,
    name: "terms-in-parts-whatever-they-are",
    from: "if (common.microBatchSize !== undefined && across) {",
    to: "if (false as boolean && across) {",
  },
  {
    ...trainer,
    name: "terms-one-stage",
    from: 'return this.#active()\n      .map(([name]) => name)\n      .join(", ");',
    to: 'return "";',
  },
  {
    ...terms,
    name: "term-options-of-the-first-step",
    from: "(value as Schedule)(step) : value;",
    to: "(value as Schedule)(0) : value;",
  },
  {
    ...base,
    name: "norms-of-other-masks",
    from: "for (const [stream, state] of streams) stream.restore(state);",
    to: "void streams;",
  },
  {
    ...base,
    name: "norms-without-weight",
    from: "weight === 0 ? 0 : weight * normOf(name);",
    to: "weight === 0 ? 0 : normOf(name);",
  },
  {
    ...base,
    name: "norms-of-the-total",
    from: "const loss = (losses as Record<string, Tensor>)[descended];",
    to: "const loss = losses.total;",
  },
  {
    ...base,
    name: "idle-stays-frozen",
    from: "for (const parameter of idle) parameter.requiresGrad = true;",
    to: "void idle;",
  },
  {
    ...lint,
    name: "lint-share-of-one-term",
    from: "const sum = terms.reduce((all, [, norm]) => all + norm, 0);",
    to: "const sum = terms.reduce((all, [, norm]) => Math.max(all, norm), 0);",
  },
  {
    ...lint,
    name: "lint-chance-is-even",
    from: "right > likeliest) return [];",
    to: "right > rows / 3) return [];",
  },
  {
    ...lint,
    name: "lint-probabilities-by-range",
    from: "if (Math.abs(sum - 1) > ROUNDING) return false;",
    to: "",
  },
  {
    ...lint,
    name: "lint-judges-unlabelled",
    from: "if (label === unlabelled) continue;",
    to: "if (label === unlabelled) { rows++; continue; }",
  },
  {
    ...lint,
    name: "lint-blames-missing-labels",
    from: "weights[name] > 0 && (norm > 0 || isLabelled)",
    to: "weights[name] > 0",
  },
  { ...lint, name: "lint-names-twice", from: "if (taken.has(named)) return null;", to: "" },
  {
    ...plan,
    name: "projection-where-none-is-needed",
    file: "src/distill/projected-pairs.ts",
    from: "return own[1] === wanted[1] ? null : new",
    to: "return new",
  },
  {
    ...plan,
    name: "plan-does-not-try",
    file: "src/distill/plan.ts",
    from: "noGrad(() => term.compare(own, own, options, new Int32Array(own.shape[0])));",
    to: "void own;",
  },
  {
    name: "schedule-one-step-late",
    file: "src/optim/schedules.ts",
    from: "(step >= from && step < until ? 1 : 0)",
    to: "(step >= from && step <= until ? 1 : 0)",
    tests: ["test/optim/schedules.test.ts"],
  },
  {
    name: "line-past-its-floor",
    file: "src/optim/schedules.ts",
    from: "1 - (1 - floor) * (step / steps)",
    to: "1 - step / steps",
    tests: ["test/optim/schedules.test.ts"],
  },
];
