import { describe, expect, it } from "vitest";
import { compareWithTwin, pairedGain } from "../../../src/distill/index.ts";
import { gainSentence, signed, verdictOf } from "../../../src/distill/report/compare-with-twin.ts";
import { DistilgradError } from "../../../src/errors.ts";

describe("compareWithTwin", () => {
  it("says that distillation helped when the interval is above 0", () => {
    const [taught, alone] = [
      [0.9, 0.87, 0.94],
      [0.8, 0.75, 0.85],
    ];
    const comparison = compareWithTwin(taught, alone);
    expect(comparison).toEqual({
      ...pairedGain(taught, alone),
      verdict: "helped",
      sentence:
        "Distillation helped: the taught student is 10.3 points above its twin that learned alone (95 % interval +6.5 … +14.1).",
    });
  });

  it("says that it hurt when the roles are exchanged", () => {
    const { verdict, sentence } = compareWithTwin([0.8, 0.75, 0.85], [0.9, 0.87, 0.94]);
    expect(verdict).toBe("hurt");
    expect(sentence).toBe(
      "Distillation hurt: the taught student is 10.3 points below its twin that learned alone (95 % interval −14.1 … −6.5).",
    );
  });

  it("says that no difference can be shown when the interval holds 0", () => {
    const { verdict, sentence } = compareWithTwin([0.9, 0.8], [0.8, 0.9]);
    expect(verdict).toBe("no difference");
    expect(sentence).toBe(
      "No difference that 2 seeds can show: the taught student is level with its twin that learned alone (95 % interval −127.1 … +127.1).",
    );
  });

  it("says that one seed says nothing, however large the gain", () => {
    expect(compareWithTwin([0.9], [0.6])).toEqual({
      mean: 0.9 - 0.6,
      interval: null,
      verdict: "one seed",
      sentence:
        "One seed says nothing about chance: the taught student is 30.0 points above its twin that learned alone.",
    });
  });

  it("refuses results without a twin", () => {
    expect(() => compareWithTwin([90, 91], [80, 82])).toThrow(
      new DistilgradError(
        "value",
        "compareWithTwin: accuracies must be shares in [0, 1], got 90; divide percentages by 100",
      ),
    );
    expect(() => compareWithTwin([0.9, 0.8], [0.9])).toThrow(
      new DistilgradError(
        "value",
        "pairedGain: expected as many results as twins and at least one pair, got 2 and 1",
      ),
    );
  });
});

describe("the verdict", () => {
  it("is that there is no difference where an end of the interval is 0", () => {
    expect(verdictOf({ mean: 0.1, interval: [0, 0.2] })).toBe("no difference");
    expect(verdictOf({ mean: -0.1, interval: [-0.2, 0] })).toBe("no difference");
  });
});

describe("a sentence of another wording", () => {
  const wording = { circumstances: "with 5 labels, ", twin: "its brother", loss: "A pity" };

  it("has its circumstances and its twin in every verdict, and its loss in one", () => {
    const of = (mean: number, interval: [number, number] | null): string =>
      gainSentence({ mean, interval }, 3, wording);
    expect(of(0.1, [0.05, 0.15])).toBe(
      "Distillation helped: with 5 labels, the taught student is 10.0 points above its brother (95 % interval +5.0 … +15.0).",
    );
    expect(of(-0.1, [-0.15, -0.05])).toBe(
      "A pity: with 5 labels, the taught student is 10.0 points below its brother (95 % interval −15.0 … −5.0).",
    );
    expect(of(0, [-0.1, 0.1])).toBe(
      "No difference that 3 seeds can show: with 5 labels, the taught student is level with its brother (95 % interval −10.0 … +10.0).",
    );
    expect(of(0.1, null)).toBe(
      "One seed says nothing about chance: with 5 labels, the taught student is 10.0 points above its brother.",
    );
  });

  it("writes no sign before what rounds to 0", () => {
    expect([0.1, -0.1, 0, -0.0004, 0.0004].map(signed)).toEqual(["+10.0", "−10.0", "0.0", "0.0", "0.0"]);
  });
});
