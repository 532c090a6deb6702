/** Floor 6: the options that every command that trains has. */
import { flag, json, number, text, wholeNumber } from "./options.ts";
import { requireTermTable } from "./term-settings.ts";

export const trainingOptions = {
  seeds: wholeNumber({
    help: "Repetitions, each with a split and an initialisation of its own",
    default: 5,
    least: 1,
    most: 1000,
  }),
  temperature: number({
    help: "T, softens the answers of teacher and student",
    default: 4,
    requires: "a number from 1e-8 to 1e8",
    accepts: (value) => value >= 1e-8 && value <= 1e8,
  }),
  alpha: number({
    help: "Weight of the hard loss, the labels; the soft loss has the rest",
    default: 0.7,
    requires: "a number from 0 to 1; it weighs the hard loss",
    accepts: (value) => value >= 0 && value <= 1,
  }),
};

/** Where more options may stand. */
export const config = text({
  help: "A JSON file of options by name, data for the table; those of the command line go before",
  placeholder: "FILE",
  default: "",
});

export const terms = json({
  help: "What taught students learn from, in place of temperature and alpha: terms by name as JSON",
  default: null,
  requires:
    'terms as JSON such as {"hard": {"loss": "crossEntropy", "weight": 0.7}}, or stand in a file for --config',
  check: requireTermTable,
});

export const runOptions = {
  processes: wholeNumber({
    help: "Processes that train, a seed each; the numbers are the same for any",
    default: null,
    shownDefault: "one a core, at most 2",
    least: 1,
    most: 64,
  }),
  json: flag("Print one JSON document instead of the table"),
  quiet: flag("No progress on stderr"),
};
