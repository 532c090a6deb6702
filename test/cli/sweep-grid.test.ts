import { describe, expect, it } from "vitest";
import { pupilName, pupilsOf, recipeFor, settingsOf, termsFor } from "../../src/cli/sweep-grid.ts";
import { tinyRecipe } from "./support/tiny.ts";
import { tinyGrid } from "./support/tiny-sweep.ts";

const setting = { student: [4], loss: "softTargetLoss", beta: 0.5, alpha: 0.2, temperature: 4 } as const;

describe("a grid", () => {
  it("is the product of its lists, the temperature running fastest and the student slowest", () => {
    const grid = { ...tinyGrid, losses: ["softTargetLoss", "reverseKlLoss"] };
    const settings = settingsOf(grid);
    expect(settings.length).toBe(2 * 2 * 2 * 2 * 2);
    expect(new Set(settings.map(pupilName)).size).toBe(settings.length);
    expect(settings.slice(0, 3).map(pupilName)).toEqual([
      "student 4, softTargetLoss, alpha 0.2, T 1",
      "student 4, softTargetLoss, alpha 0.2, T 4",
      "student 4, softTargetLoss, alpha 0.7, T 1",
    ]);
    expect(settings[4].beta).toBe(0.5);
    expect(settings[8].loss).toBe("reverseKlLoss");
    expect(settings[16].student).toEqual([3, 2]);
  });

  it("has a loss that takes no temperature once for all temperatures", () => {
    const grid = { ...tinyGrid, losses: ["logitMatchingLoss"], students: [[4]], betas: [0], alphas: [0.5] };
    expect(settingsOf(grid)).toEqual([
      { student: [4], loss: "logitMatchingLoss", beta: 0, alpha: 0.5, temperature: null },
    ]);
  });

  it("is preceded by the students alone, one for each width", () => {
    const pupils = pupilsOf(tinyGrid);
    expect(pupils.slice(0, 2)).toEqual([
      { student: [4], loss: null },
      { student: [3, 2], loss: null },
    ]);
    expect(pupils.slice(2)).toEqual(settingsOf(tinyGrid));
    expect(pupils.slice(0, 1).map(pupilName)).toEqual(["student 4, alone"]);
  });
});

describe("a setting", () => {
  it("weighs labels with alpha, the named loss with the rest, the last hidden layers with beta", () => {
    expect(termsFor({ ...setting, student: [4, 5] }, [8, 8, 8])).toEqual({
      hard: { loss: "crossEntropy", weight: 0.2 },
      soft: { loss: "softTargetLoss", weight: 0.8, options: { temperature: 4 } },
      hidden: { loss: "mse", weight: 0.5, layers: [["relu2", "relu3"]] },
    });
  });

  it("has no term without weight, and no temperature where the loss takes none", () => {
    const terms = (changes: object) => termsFor({ ...setting, ...changes }, [8]);
    expect(Object.keys(terms({ beta: 0 }))).toEqual(["hard", "soft"]);
    expect(Object.keys(terms({ alpha: 0 }))).toEqual(["soft", "hidden"]);
    expect(Object.keys(terms({ alpha: 1 }))).toEqual(["hard", "hidden"]);
    expect(terms({ loss: "logitMatchingLoss", temperature: null }).soft.options).toEqual({});
  });

  it("changes a recipe's student and terms, and nothing else", () => {
    const recipe = recipeFor(tinyRecipe, { ...setting, student: [5] });
    expect(recipe.student).toEqual({ ...tinyRecipe.student, hidden: [5] });
    expect({ ...recipe, student: tinyRecipe.student, terms: null }).toEqual(tinyRecipe);
    expect(recipe.terms).toEqual(termsFor({ ...setting, student: [5] }, [8, 8]));
    expect(recipeFor(tinyRecipe, { student: [5], loss: null }).terms).toBe(null);
  });

  it("is called by all that can differ", () => {
    expect(pupilName({ ...setting, student: [64, 32] })).toBe(
      "student 64-32, softTargetLoss, beta 0.5, alpha 0.2, T 4",
    );
    expect(pupilName({ ...setting, beta: 0, temperature: null })).toBe(
      "student 4, softTargetLoss, alpha 0.2",
    );
  });
});
