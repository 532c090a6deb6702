/** Floor 4: teachers that are made of several models, or of a student's own past. */
import type { Fault } from "./fault.ts";

const ensemble = {
  file: "src/distill/teachers/ensemble.ts",
  tests: ["test/distill/teachers/ensemble.test.ts"],
};
const weights = {
  file: "src/distill/teachers/fit-ensemble-weights.ts",
  tests: ["test/distill/teachers/fit-ensemble-weights.test.ts"],
};
const mean = {
  file: "src/distill/teachers/mean-teacher.ts",
  tests: ["test/distill/teachers/mean-teacher.test.ts"],
};
const chain = {
  file: "src/distill/teachers/distill-chain.ts",
  tests: ["test/distill/teachers/distill-chain.test.ts"],
};
const mutual = {
  file: "src/distill/teachers/mutual-learning-trainer.ts",
  tests: ["test/distill/teachers/mutual-learning-trainer.test.ts"],
};

export const teacherFaults: readonly Fault[] = [
  {
    name: "ensemble-of-logits-by-default",
    ...ensemble,
    from: 'const { combine = "probabilities", weights',
    to: 'const { combine = "logits", weights',
  },
  {
    name: "ensemble-at-temperature-1",
    ...ensemble,
    from: "distributionOf(answer, shape, own * temperature)",
    to: "distributionOf(answer, shape, own)",
  },
  {
    name: "ensemble-not-calibrated",
    ...ensemble,
    from: "distributionOf(answer, shape, own * temperature)",
    to: "distributionOf(answer, shape, temperature)",
  },
  {
    name: "ensemble-logits-not-calibrated",
    ...ensemble,
    from: "(v) => v / own",
    to: "(v) => v",
  },
  {
    name: "ensemble-not-scaled-back",
    ...ensemble,
    from: "temperature * logMeanAt(i, values, own)",
    to: "logMeanAt(i, values, own)",
  },
  {
    name: "ensemble-underflows",
    ...ensemble,
    from: "  return top + log(sum);",
    to: "  return log(exp(top) * sum);",
  },
  {
    name: "ensemble-impossible-is-nan",
    ...ensemble,
    from: "if (top === Number.NEGATIVE_INFINITY) return top;",
    to: "",
  },
  {
    name: "ensemble-weights-of-row-0",
    ...ensemble,
    from: "weights.map((each) => each[row]);",
    to: "weights.map((each) => each[0]);",
  },
  {
    name: "ensemble-weights-not-normalised",
    ...ensemble,
    from: "return weights.map((weight) => weight / total);",
    to: "return [...weights];",
  },
  {
    name: "ensemble-confidence-not-normalised",
    ...ensemble,
    from: "for (const each of weights) each[row] /= total;",
    to: "",
  },
  {
    name: "ensemble-confidence-not-calibrated",
    ...ensemble,
    from: "distributionOf(answers[k], { rows, cols }, temperature)",
    to: "distributionOf(answers[k], { rows, cols }, 1)",
  },
  {
    name: "ensemble-confidence-of-row-0",
    ...ensemble,
    from: "probabilities[argmaxRow(probabilities, row * cols, cols)]",
    to: "probabilities[argmaxRow(probabilities, 0, cols)]",
  },
  {
    name: "ensemble-asks-weight-0",
    ...ensemble,
    from: ".filter(({ weight }) => weight !== 0)",
    to: "",
  },
  {
    name: "ensemble-in-training-mode",
    ...ensemble,
    from: "teacherLogits(teacher, x));",
    to: '(typeof teacher === "function" ? teacher(x) : teacher.forward(x)));',
  },
  {
    name: "ensemble-outlives-the-step",
    ...ensemble,
    from: "storageOf(mean, currentStep())",
    to: "storageOf(mean)",
  },
  {
    name: "ensemble-negative-zero-lost",
    ...ensemble,
    from: "  let sum = weights[0] * values[0][i];\n  for (let k = 1;",
    to: "  let sum = 0;\n  for (let k = 0;",
  },
  {
    name: "ensemble-at-forgets-weights",
    ...ensemble,
    from: "new Ensemble(members, { weights, combine,",
    to: "new Ensemble(members, { combine,",
  },
  {
    name: "ensemble-members-in-hiding",
    ...ensemble,
    from: "this.members = [...members];",
    to: "this.members = members.map((each) => (x: Tensor) => teacherLogits(each, x));",
  },
  {
    name: "temperature-of-a-teacher-unread",
    file: "src/distill/teacher.ts",
    from: "if (own === null || own === temperature) return;",
    to: "return;",
    tests: ensemble.tests,
  },
  {
    name: "trainer-takes-any-temperature",
    file: "src/distill/knowledge-distillation-trainer.ts",
    from: 'requireTemperatureOf("trainer", "the teacher", teacher, temperature);',
    to: "",
    tests: ensemble.tests,
  },
  {
    name: "evaluate-takes-any-temperature",
    file: "src/distill/evaluate.ts",
    from: 'requireTemperatureOf("evaluate", "the model", model, 1);',
    to: "",
    tests: ensemble.tests,
  },
  {
    name: "answers-of-members-kept-in-a-step",
    file: "src/distill/teacher.ts",
    from: "return Array.isArray(members) && members.some(mayKeepAnswers);",
    to: "return false;",
    tests: ensemble.tests,
  },
  {
    name: "ensemble-weights-of-the-sum",
    ...weights,
    from: "gains[k] += row[k] / mean / likelihoods.length;",
    to: "gains[k] += row[k] / mean;",
  },
  {
    name: "ensemble-weights-of-equal-mean",
    ...weights,
    from: "mean += weights[k] * row[k];",
    to: "mean += row[k] / row.length;",
  },
  {
    name: "ensemble-weights-replaced",
    ...weights,
    from: "weights.map((weight, k) => weight * gains[k])",
    to: "weights.map((_, k) => gains[k] / weights.length)",
  },
  {
    name: "ensemble-weights-stop-early",
    ...weights,
    from: "gains.every((gain) => gain - 1 <= tolerance)",
    to: "gains.some((gain) => gain - 1 <= tolerance)",
  },
  {
    name: "ensemble-weights-of-unlabelled-rows",
    ...weights,
    from: "if (labels[row] === unlabelled) continue;",
    to: "",
  },
  {
    name: "ensemble-weights-underflow",
    ...weights,
    from: "exp(logP - top)",
    to: "exp(logP)",
  },
  {
    name: "mean-teacher-starts-elsewhere",
    ...mean,
    from: "    teacher.loadStateDict(student.stateDict());\n",
    to: "",
  },
  {
    name: "mean-teacher-is-the-student",
    ...mean,
    from: "this.teacher.loadStateDict(this.#average.stateDict());",
    to: "this.teacher.loadStateDict(this.student.stateDict());",
  },
  {
    name: "mean-teacher-keeps-its-weights",
    ...mean,
    from: "      this.teacher.loadStateDict(state.weights);",
    to: "",
  },
  {
    name: "mean-teacher-half-restored",
    ...mean,
    from: "      this.#average.restore(before);",
    to: "",
  },
  {
    name: "chain-from-the-first-teacher",
    ...chain,
    from: "teach(models[i], student, i + 1)",
    to: "teach(teacher, student, i + 1)",
  },
  {
    name: "chain-next-generation-only",
    ...chain,
    from: "models.slice(0, i + 1).entries()",
    to: "models.slice(i, i + 1).entries()",
  },
  {
    name: "chain-teacher-may-change",
    ...chain,
    from: "if (name === undefined) continue;",
    to: "continue;",
  },
  {
    name: "peers-not-detached",
    ...mutual,
    from: "logits.map((own) => own.detach())",
    to: "logits",
  },
  {
    name: "peers-sum-not-mean",
    ...mutual,
    from: "scale(sumOf(each), 1 / others.length)",
    to: "sumOf(each)",
  },
  {
    name: "peers-mean-with-itself",
    ...mutual,
    from: "1 / others.length",
    to: "1 / (others.length + 1)",
  },
  {
    name: "peers-divergence-reversed",
    ...mutual,
    from: "softTargetLoss(logits, answer, { temperature })",
    to: "softTargetLoss(answer, logits, { temperature })",
  },
  {
    name: "peers-temperature-1",
    ...mutual,
    from: "softTargetLoss(logits, answer, { temperature })",
    to: "softTargetLoss(logits, answer, { temperature: 1 })",
  },
  {
    name: "peers-hard-share-of-rows",
    ...mutual,
    from: "share.labelled);",
    to: "share.rows);",
  },
  {
    name: "peers-mutual-share-of-labelled",
    ...mutual,
    from: "share.rows,",
    to: "share.labelled,",
  },
  {
    name: "peers-only-the-first-learns",
    ...mutual,
    from: "total: sumOf(totals)",
    to: "total: totals[0]",
  },
  {
    name: "peers-may-share",
    ...mutual,
    from: "if (shared === undefined) continue;",
    to: "continue;",
  },
];
