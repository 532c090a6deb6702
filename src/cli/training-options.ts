/** Floor 6: the options that every command that trains has. */
import { flag, number, wholeNumber } from "./options.ts";

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
