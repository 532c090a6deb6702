import { describe, expect, it } from "vitest";
import {
  isFeatureLoss,
  lossNames,
  needsLabels,
  requireTermTable,
  type TermTable,
  termsOf,
} from "../../src/cli/term-settings.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import * as library from "../../src/distill/losses/index.ts";
import { optionsAt, weightAt } from "../../src/distill/terms.ts";
import { clouds, csvOf, quick, run } from "./support/tiny.ts";

describe("terms as JSON", () => {
  it("may have every loss of the library but those of maps, which tables do not make", () => {
    const ofMaps = ["attentionTransferLoss", "neuronSelectivityTransferLoss"];
    expect([...lossNames].sort()).toEqual(
      [
        "crossEntropy",
        "mse",
        "softTargetLoss",
        ...Object.keys(library).filter((name) => !ofMaps.includes(name)),
      ].sort(),
    );
  });

  it.each(lossNames)("are accepted with %s", (loss) => {
    const term = { loss, ...(isFeatureLoss(loss) && { layers: [["relu1", "relu1"]] }) };
    const options = loss === "softTargetLoss" ? { options: { temperature: 4 } } : {};
    const table = { soft: { loss: "reverseKlLoss" }, term: { ...term, ...options } };
    expect(requireTermTable(table)).toBe(table);
  });

  it("become terms with weights and options that follow schedules", () => {
    const table = requireTermTable({
      hard: {
        loss: "crossEntropy",
        weight: { schedule: "during", base: 0.7, from: 2 },
        options: { labelSmoothing: 0.1 },
      },
      soft: {
        loss: "softTargetLoss",
        weight: { schedule: "warmup", steps: 4 },
        options: { temperature: { schedule: "linearDecay", base: 8, steps: 4, floor: 0.25 } },
      },
      hint: { loss: "hintLoss", layers: [["relu1", "relu2"]] },
      alike: { loss: "similarityPreservingLoss", layers: [["relu1", "relu2"]] },
    });
    const asked: unknown[] = [];
    const terms = termsOf(table, (layers, projected) => {
      asked.push([layers, projected]);
      return layers;
    });
    expect([0, 2].map((step) => weightAt("hard", terms.hard, step))).toEqual([0, 0.7]);
    expect(terms.hard).toMatchObject({ kind: "labels", labelSmoothing: 0.1 });
    expect([0, 3, 9].map((step) => weightAt("soft", terms.soft, step))).toEqual([0.25, 1, 1]);
    expect([0, 4].map((step) => optionsAt(terms.soft as never, step))).toEqual([
      { temperature: 8 },
      { temperature: 2 },
    ]);
    // What compares relations takes features of any width.
    expect(asked).toEqual([
      [[["relu1", "relu2"]], true],
      [[["relu1", "relu2"]], false],
    ]);
  });

  it("may teach answers as features of the last layer", () => {
    const table = { logits: { loss: "mse", layers: [["logits", "logits"]] } };
    expect(requireTermTable(table)).toBe(table);
  });

  it("know which of them a student without labels goes without", () => {
    expect(lossNames.filter((loss) => needsLabels({ loss }))).toEqual([
      "crossEntropy",
      "decoupledDistillationLoss",
    ]);
  });

  const soft = { loss: "softTargetLoss", options: { temperature: 4 } };
  it.each<[unknown, string]>([
    [3, "terms must be an object of terms by name such as"],
    [{}, "terms must be an object of terms by name such as"],
    [{ soft: 3 }, 'term "soft" must be an object such as { "loss": "softTargetLoss" }'],
    [
      { soft: { loss: "softTarget" } },
      'term "soft": unknown loss "softTarget"; did you mean softTargetLoss?',
    ],
    [{ soft: { loss: 3 } }, 'term "soft": unknown loss 3; possible are crossEntropy, softTargetLoss,'],
    [{ soft: { ...soft, wieght: 1 } }, 'term "soft": unknown key "wieght"; did you mean weight?'],
    [{ soft: { ...soft, options: 4 } }, 'term "soft": options must be an object of the loss\'s options'],
    [
      { soft: { ...soft, options: { temperatur: 4 } } },
      'term "soft": unknown option "temperatur"; did you mean temperature?',
    ],
    [{ soft: { loss: "softTargetLoss" } }, 'term "soft": softTargetLoss: temperature must be'],
    [
      { soft: { loss: "logitMatchingLoss", options: { temperature: 4 } } },
      'term "soft": logitMatchingLoss has no options',
    ],
    [
      { soft: { loss: "reverseKlLoss", options: { temperatur: 4 } } },
      'term "soft": reverseKlLoss: unknown option "temperatur"; possible are temperature',
    ],
    [
      { soft: { ...soft, weight: -1 } },
      'term "soft": logitTerm: weight must be a finite number of at least 0 or a schedule, got -1',
    ],
    [
      { soft: { ...soft, weight: "high" } },
      'term "soft": expected a number or a schedule such as { "schedule": "cosine", "base": 8, "steps": 800 }, got "high"',
    ],
    [
      { soft: { ...soft, weight: { schedule: "cosin" } } },
      'term "soft": unknown schedule "cosin"; did you mean cosine?',
    ],
    [
      { soft: { ...soft, weight: { schedule: "cosine" } } },
      'term "soft": cosine: steps must be a whole number of at least 1, got undefined',
    ],
    [
      { hint: { loss: "hintLoss" } },
      'term "hint": hintLoss compares layers; add "layers": [["relu1", "relu1"]]',
    ],
    [
      { soft: { ...soft, layers: [["a", "b"]] } },
      'term "soft": softTargetLoss compares answers, not layers; leave "layers" out',
    ],
    [
      { hint: { loss: "hintLoss", layers: [["a"]] } },
      'term "hint": layers must be pairs of a student\'s and a teacher\'s layer such as [["relu1", "relu2"]]',
    ],
    [
      { hint: { loss: "hintLoss", layers: [["a", "b"]], options: { x: 1 } } },
      'term "hint": hintLoss has no options',
    ],
    [{ soft, total: soft }, 'terms: "total" is the sum of all; choose another name'],
    ...[
      { hard: { loss: "crossEntropy" } },
      { hint: { loss: "hintLoss", layers: [["relu1", "relu1"]] } },
      { hard: { loss: "crossEntropy" }, hint: { loss: "mse", layers: [["relu1", "logits"]] } },
    ].map((table): [unknown, string] => [
      table,
      "terms: no term teaches the student without labels to answer; add one between answers that needs no label, such as softTargetLoss",
    ]),
  ])("are refused: %j", (table, message) => {
    expect(() => requireTermTable(table)).toThrow(UsageError);
    expect(() => requireTermTable(table)).toThrow(message);
  });
});

describe("distilgrad distill --terms", () => {
  const csv = csvOf(clouds(90));
  const distill = (terms: TermTable | string, ...more: string[]) =>
    run(
      [
        "distill",
        "-",
        "--label",
        "first",
        ...quick,
        "--terms",
        typeof terms === "string" ? terms : JSON.stringify(terms),
        ...more,
      ],
      { input: csv },
    );
  const same: TermTable = {
    hard: { loss: "crossEntropy", weight: 0.7 },
    soft: { loss: "softTargetLoss", weight: 1 - 0.7, options: { temperature: 4 } },
  };

  it("is what temperature and alpha are, where the terms say so", async () => {
    const results = async (ran: Promise<{ stdout: string }>): Promise<unknown> => {
      const { models } = JSON.parse((await ran).stdout);
      return models.map(({ id, accuracies }: { id: string; accuracies: number[] }) => [id, accuracies]);
    };
    const plain = run(["distill", "-", "--label", "first", ...quick, "--json"], { input: csv });
    const [byTerms, byAlpha] = [await results(distill(same, "--json")), await results(plain)];
    expect(byTerms).toEqual(byAlpha);
  });

  it("announces its plan, reports its terms, and records what each pulls with", async () => {
    const terms: TermTable = {
      ...same,
      hint: { loss: "hintLoss", weight: 0.01, layers: [["relu1", "relu2"]] },
      decoupled: { loss: "decoupledDistillationLoss", weight: 0.1 },
    };
    const { code, stdout, stderr } = await distill(terms);
    expect(code).toBe(0);
    expect(stderr).toContain(
      "taught students learn from\nhard: 0.7 × crossEntropy\nsoft: 0.30000000000000004 × softTargetLoss, temperature 4\n" +
        "hint: 0.01 × hintLoss\n" +
        "  student relu1 [1, 4] through Linear (40 parameters) against teacher relu2 [1, 8]: compares [1, 8]\n",
    );
    expect(stdout.replaceAll("\n", " ")).toContain(
      "hint 0.01 × hintLoss + decoupled 0.1 × decoupledDistillationLoss;",
    );
    const { perSeed } = JSON.parse((await distill(terms, "--json")).stdout);
    const taught = perSeed[0].models.find(({ id }: { id: string }) => id === "allTaught");
    const [first] = taught.history;
    expect([first.step, taught.history.at(-1).step]).toEqual([1, 30]);
    expect(Object.keys(first.losses)).toEqual(["total", "hard", "soft", "hint", "decoupled"]);
    const shares = Object.values<number>(first.gradientShares);
    expect(Math.abs(shares.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-12);
    // Without any label, what labels teach is left out.
    const without = perSeed[0].models.find(({ id }: { id: string }) => id === "unlabelled");
    expect(Object.keys(without.history[0].losses)).toEqual(["total", "soft", "hint"]);
    expect(stdout).toContain("no labels, taught: by these alone, on all rows\n");
  });

  it("announces its plan on lines of at most 100 columns", async () => {
    const terms: TermTable = {
      hint: { loss: "hintLoss", weight: 0.01, layers: [["relu1", "relu2"]] },
      soft: { loss: "reverseKlLoss" },
    };
    const widths = ["--student", "999", "--teacher", "8,1000"];
    const { stderr } = await distill(terms, ...widths, "--seeds", "1", "--student-steps", "1");
    expect(stderr).toContain(
      "\nhint: 0.01 × hintLoss\n  student relu1 [1, 999] through Linear (1000000 parameters)\n" +
        "    against teacher relu2 [1, 1000]: compares [1, 1000]\nsoft:",
    );
  });

  it("is refused before any training where a schedule comes to what cannot be learned from", async () => {
    const temperature = { schedule: "linearDecay", base: 4, steps: 20 };
    const soft = { loss: "softTargetLoss", options: { temperature } };
    const late = { schedule: "during", from: 3 };
    const cases: [TermTable, string][] = [
      [
        { soft },
        'term "soft" at step 20: softTargetLoss: temperature must be a finite number above 0, got 0',
      ],
      [
        { soft: { loss: "reverseKlLoss", weight: 0 } },
        "at step 0 every term that a taught student learns from has weight 0",
      ],
      [
        { hard: { loss: "crossEntropy" }, soft: { loss: "reverseKlLoss", weight: late } },
        "at step 0 every term that the student without labels learns from has weight 0",
      ],
      [
        { soft: { loss: "reverseKlLoss", weight: { schedule: "during", until: 29 } } },
        "at step 29 every term that a taught student learns from has weight 0",
      ],
    ];
    for (const [terms, message] of cases) {
      expect(await distill(terms)).toEqual({
        code: 2,
        stdout: "",
        stderr: `distilgrad: --terms: ${message}\n`,
      });
    }
    // What has no weight any more is not asked, and the schedule has a step to go where the training ends.
    const until = { schedule: "during", until: 20 };
    for (const terms of [
      { soft: { ...soft, weight: until }, logits: { loss: "logitMatchingLoss" } },
      { soft: { ...soft, options: { temperature: { ...temperature, steps: 30 } } } },
    ]) {
      expect((await distill(terms, "--seeds", "1")).code).toBe(0);
    }
  });

  it("is refused before any training", async () => {
    const sentence = async (terms: TermTable | string, ...more: string[]): Promise<string> => {
      const { code, stdout, stderr } = await distill(terms, ...more);
      expect([code, stdout]).toEqual([2, ""]);
      return stderr;
    };
    expect(await sentence("{")).toBe(
      'distilgrad: distill: --terms must be terms as JSON such as {"hard": {"loss": "crossEntropy", "weight": 0.7}}, or stand in a file for --config, got "{"\n',
    );
    expect(await sentence(same, "--alpha", "0.5")).toBe(
      "distilgrad: distill: --alpha has no effect beside --terms; say it in a term\n",
    );
    expect(await sentence({ ...same, hint: { loss: "hintLoss", layers: [["relu2", "relu2"]] } })).toBe(
      'distilgrad: --terms: projectedPairs: the student has no layer "relu2"; it has "hidden1", "relu1", "logits"\n',
    );
  });
});
