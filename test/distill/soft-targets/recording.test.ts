/** What is refused before and while a teacher is asked, and what a recording says of itself. */
import { describe, expect, it } from "vitest";
import {
  Ensemble,
  type RecordSoftTargetsOptions,
  recordSoftTargets,
  SoftTargets,
  type Teacher,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { ones, tensor, zeros } from "../../../src/factories.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import { stateHash } from "../../../src/nn/index.ts";
import { sha256OfFloats } from "../../../src/sha256.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { network } from "../models.ts";
import { augment, dataset, teacher } from "./models.ts";

const asked: Teacher = () => {
  throw new Error("asked");
};

describe("a recording", () => {
  it("says whose answers to what it holds", () => {
    const shown = recordSoftTargets(teacher, dataset, {
      augment,
      epochs: 4,
      classNames: ["a", "b", "c"],
      shard: { index: 1, count: 2 },
      mode: { top: 1, rest: "spread" },
    });
    expect(shown.description).toEqual({
      teacher: `sha256:${stateHash(teacher.stateDict())}`,
      temperature: null,
      mode: { top: 1, rest: "spread" },
      classes: 3,
      classNames: ["a", "b", "c"],
      data: sha256OfFloats([dataset.x.data]),
      rows: 23,
      start: 11,
      end: 23,
      epochs: 4,
      augmentation: "shift 1, rotate 0, scale 0, noise 0.1, fill 0, seed 3",
    });
  });

  it("of samples as they are has one answer each and no augmentation", () => {
    const { description, size } = recordSoftTargets(teacher, dataset);
    expect(description).toMatchObject({ mode: "float32", start: 0, end: 23, epochs: 1 });
    expect([description.augmentation, description.classNames]).toEqual([null, null]);
    expect(size).toBe(23);
  });

  it("says so where an augmentation shows no settings", () => {
    const shown = recordSoftTargets(teacher, dataset, { augment: { apply: (x) => x }, epochs: 2 });
    expect(shown.description.augmentation).toBe("an augmentation without settings");
    expect(shown.size).toBe(23);
  });

  it.each<[string, RecordSoftTargetsOptions, DistilgradError["code"], string]>([
    [
      "a teacher that is no module without a name",
      {},
      "value",
      "a teacher that is no module, or has a member that is none, needs a teacherName, which no other one has, got undefined",
    ],
    [
      "an empty name",
      { teacherName: "" },
      "value",
      'a teacher that is no module, or has a member that is none, needs a teacherName, which no other one has, got "", a string',
    ],
    [
      "an augmentation without epochs",
      { augment, teacherName: "t" },
      "value",
      "augment and epochs go together, got only augment; a sample that is not augmented has one answer for all epochs",
    ],
    [
      "epochs without an augmentation",
      { epochs: 3, teacherName: "t" },
      "value",
      "augment and epochs go together, got only epochs; a sample that is not augmented has one answer for all epochs",
    ],
    [
      "no epoch",
      { augment, epochs: 0, teacherName: "t" },
      "value",
      "epochs must be a whole number of at least 1, got 0",
    ],
    [
      "no augmentation",
      { augment: (() => {}) as never, epochs: 1, teacherName: "t" },
      "value",
      "augment must be an object with apply(x, samples, epoch), such as new ImageAugmentation({ shift: 1 }), got the function augment",
    ],
    [
      "class names that are none",
      { classNames: "abc" as never, teacherName: "t" },
      "value",
      'classNames must be a list of different texts, got "abc", a string',
    ],
    [
      "a class name twice",
      { classNames: ["a", "a"], teacherName: "t" },
      "value",
      'classNames must be a list of different texts, got ["a","a"]',
    ],
    [
      "a shard that is none of them",
      { shard: { index: 2, count: 2 }, teacherName: "t" },
      "value",
      "index must be below count, counted from 0, got 2 of 2",
    ],
    [
      "a shard without rows",
      { shard: { index: 0, count: 24 }, teacherName: "t" },
      "data",
      "expected at least one row, got none in shard 0 of 24 of 23 rows",
    ],
    [
      "an unknown option",
      { temperature: 4 } as never,
      "value",
      'unknown option "temperature"; possible are mode, teacherName, classNames, augment, epochs, shard, batchSize',
    ],
  ])("refuses %s before the teacher is asked", (_, options, code, message) => {
    expect(() => recordSoftTargets(asked, dataset, options)).toThrow(
      new DistilgradError(code, `recordSoftTargets: ${message}`),
    );
  });

  it("tells modules by their weights, and by a name where they have one", () => {
    const [plain, named] = [undefined, "warm"].map(
      (teacherName) =>
        recordSoftTargets(teacher, dataset, { ...(teacherName && { teacherName }) }).description.teacher,
    );
    expect(named).toBe(`${plain} name:warm`);
    expect(() => recordSoftTargets(teacher, dataset, { teacherName: 7 as never })).toThrow(
      "needs a teacherName, which no other one has, got 7",
    );
  });

  it("wants a name for a module that asks what is none", () => {
    const mixed = new Ensemble([teacher, (x: Tensor) => teacher.forward(x)]);
    expect(() => recordSoftTargets(mixed, dataset)).toThrow(
      "needs a teacherName, which no other one has, got undefined",
    );
    expect(recordSoftTargets(mixed, dataset, { teacherName: "m" }).size).toBe(23);
    expect(recordSoftTargets(new Ensemble([teacher, network(8, 7)]), dataset).size).toBe(23);
  });

  it("refuses a teacher whose answers hold at no temperature there is", () => {
    const odd = { onlyTemperature: Number.NaN, forward: asked as (x: Tensor) => Tensor };
    expect(() => recordSoftTargets(odd, dataset, { teacherName: "odd" })).toThrow(
      new DistilgradError("value", "recordSoftTargets: temperature must be a finite number above 0, got NaN"),
    );
  });

  it("refuses float64, in which samples have other values", () => {
    expect(() =>
      recordSoftTargets(asked, { x: ones([2, 2], { kernels: float64 }) }, { teacherName: "t" }),
    ).toThrow(new DistilgradError("kernels", "recordSoftTargets: expected x in float32, got float64"));
  });

  it("refuses names for other classes than the teacher has", () => {
    expect(() => recordSoftTargets(teacher, dataset, { classNames: ["a", "b"] })).toThrow(
      new DistilgradError("value", "recordSoftTargets: expected a name for each of 3 classes, got 2"),
    );
  });

  it("refuses names that could not be read again", () => {
    expect(() => recordSoftTargets(teacher, dataset, { classNames: ["a", "b", "\ud800"] })).toThrow(
      /^recordSoftTargets: expected a string of whole characters without NUL at position \d+ of the JSON, got /,
    );
  });

  it("refuses a teacher that answers equal samples differently", () => {
    let calls = 0;
    const moody = (): Tensor => tensor([[calls++, 0]]);
    const twice = { x: zeros([3, 2]) };
    expect(() => recordSoftTargets(moody, twice, { teacherName: "moody", batchSize: 1 })).toThrow(
      new DistilgradError(
        "data",
        "SoftTargets: a teacher must answer equal samples alike, got two answers to row 0 and row 1; was it in training mode?",
      ),
    );
    const still = { apply: (x: Tensor) => x };
    expect(() =>
      recordSoftTargets(moody, { x: zeros([1, 2]) }, { teacherName: "moody", augment: still, epochs: 2 }),
    ).toThrow("two answers to row 0 in epoch 0 and row 0 in epoch 1;");
  });

  it("makes stores; what is none is refused", () => {
    expect(() => new SoftTargets(recordSoftTargets(network(4, 1), dataset).bytes() as never)).toThrow(
      new DistilgradError(
        "value",
        "SoftTargets: expected what a store holds, got a Uint8Array; recordSoftTargets and readSoftTargets make stores",
      ),
    );
  });

  it("refuses a teacher with other classes in another epoch", () => {
    let classes = 2;
    expect(() =>
      recordSoftTargets((x) => zeros([x.shape[0], classes++]), dataset, {
        augment,
        epochs: 2,
        teacherName: "growing",
      }),
    ).toThrow(
      new DistilgradError(
        "shape",
        "recordSoftTargets: expected 2 classes as in epoch 0, got [23, 3] in epoch 1",
      ),
    );
  });
});
