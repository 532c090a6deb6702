// biome-ignore-all lint/complexity/useLiteralKeys: a key is how TypeScript lets protected members be read
/** Annex: the gradient check of the loss that a trainer descends. */
import { kindOf, requireOptions } from "../arguments.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Part } from "../distill/parts.ts";
import type { Trainer } from "../distill/trainer.ts";
import { DistilgradError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { checkWithStandIns, type ModuleCheckOptions, moduleOptions } from "./gradcheck-module.ts";
import type { GradcheckReport } from "./prove.ts";
import { inDouble, standIns } from "./stand-ins.ts";

/**
 * `gradcheck` of a trainer's total loss of one batch, with respect to everything that it trains: the model's parameters
 * that are not frozen, `parameter "model.hidden.weight"`, and those of modules besides, such as projections. Teachers
 * that are modules compute in float64 too; another one is asked once, as it is.
 *
 *     gradcheckTrainer(trainer, { x, labels })
 *
 * The loss is that of the whole batch in training mode, before clipping. Nothing is trained: models, optimizer and
 * steps are as they were.
 *
 * @param batch what `trainStep` takes, a few rows; its x is not differentiated, as a teacher's answer depends on it
 * @throws GradcheckError that calls parameters by their names
 */
export function gradcheckTrainer(
  trainer: Trainer,
  batch: Dataset,
  options: ModuleCheckOptions = {},
): GradcheckReport {
  const caller = "gradcheckTrainer";
  requireOptions(caller, options, moduleOptions);
  if (typeof trainer?.trainStep !== "function") {
    throw new DistilgradError("value", `${caller}: expected a trainer, got ${kindOf(trainer)}`);
  }
  if (!(batch?.x instanceof Tensor)) {
    throw new DistilgradError("data", `${caller}: expected a dataset { x, labels }, got ${kindOf(batch)}`);
  }
  const learners = trainer["learners"];
  const stage = standIns([learners, ...teachersOf(trainer)]);
  const asked: Part = { ...batch, start: 0, share: { rows: 1, labelled: 1 } };
  trainer["prepare"](asked);
  const compute = (): Tensor => {
    learners.train();
    const { x, teacherLogits } = asked;
    const part = {
      ...asked,
      x: inDouble(x),
      ...(teacherLogits && { teacherLogits: inDouble(teacherLogits) }),
    };
    return trainer["losses"](part).total;
  };
  return checkWithStandIns(caller, stage, [], compute, { name: trainer.constructor.name, ...options });
}

/** The modules in a trainer's own fields, in arrays too. */
function teachersOf(trainer: Trainer): Module[] {
  return Object.values(trainer)
    .flat()
    .filter((value) => typeof value?.stateTensors === "function");
}
