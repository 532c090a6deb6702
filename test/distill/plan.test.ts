import { describe, expect, it } from "vitest";
import {
  attentionTransferLoss,
  DistillationTrainer,
  decoupledDistillationLoss,
  type FeaturePair,
  featureTerm,
  hintLoss,
  labelTerm,
  logitTerm,
  pearsonCorrelationLoss,
  planOf,
  projectedPairs,
  projectionsByName,
  type Terms,
} from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { randn, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  BatchNorm1d,
  Conv2d,
  Flatten,
  Linear,
  type Module,
  parametersOf,
  Reshape,
  Sequential,
} from "../../src/nn/index.ts";
import { softTargetLoss } from "../../src/ops/index.ts";
import { Adam, during, linearDecay, scheduled } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { hashOf, inputs, network } from "./models.ts";

const teacher = network(16, 100);

function trainerOf<T extends Terms>(terms: T, student: Module = network(4, 1), of: Module = teacher) {
  const projections = projectionsByName(
    Object.values(terms).flatMap((term) => (term.kind === "features" ? term.layers : [])),
  );
  const optimizer = new Adam(parametersOf({ student, ...projections }));
  return new DistillationTrainer({ student, teacher: of, optimizer, terms });
}

/** Maps [rows, channels, side, side] under the name conv. */
const convolutional = (channels: number, padding: number): Sequential => {
  const side = 2 + 2 * padding;
  return new Sequential({
    conv: new Conv2d(1, channels, 3, { padding }),
    flat: new Flatten(),
    logits: new Linear(channels * side * side, 3),
  });
};

describe("planOf", () => {
  it("says what is about to happen, in order", () => {
    const student = network(4, 1);
    const layers = projectedPairs(student, teacher, [["relu", "hidden"]], { input: [1, inputs] });
    const trainer = trainerOf(
      {
        hard: labelTerm({ weight: 0.7 }),
        soft: logitTerm(softTargetLoss, {
          weight: scheduled(0.3, linearDecay({ steps: 10 })),
          options: { temperature: 4 },
        }),
        hints: featureTerm(hintLoss, { weight: 0.5, layers }),
      },
      student,
    );
    const plan = planOf(trainer, [2, inputs]);
    expect(`${plan}`).toBe(
      [
        "hard: 0.7 × crossEntropy",
        "soft: 0.3 × softTargetLoss, temperature 4 (scheduled)",
        "hints: 0.5 × hintLoss",
        "  student relu [2, 4] through Linear (80 parameters) against teacher hidden [2, 16]: compares [2, 16]",
      ].join("\n"),
    );
    expect(plan.terms[2]).toEqual({
      name: "hints",
      loss: "hintLoss",
      weight: 0.5,
      scheduled: false,
      options: {},
      pairs: [
        {
          studentLayer: "relu",
          studentShape: [2, 4],
          teacherLayer: "hidden",
          teacherShape: [2, 16],
          projection: { type: "Linear", parameters: 80 },
          compared: [
            [2, 16],
            [2, 16],
          ],
        },
      ],
    });
  });

  it("shows what maps become, and takes a tensor as input", () => {
    const trainer = trainerOf(
      { maps: featureTerm(attentionTransferLoss, { layers: [["conv", "conv"]] }) },
      convolutional(2, 0),
      convolutional(5, 1),
    );
    expect(`${planOf(trainer, zeros([1, 1, 4, 4]))}`).toBe(
      "maps: 1 × attentionTransferLoss\n" +
        "  student conv [1, 2, 2, 2] against teacher conv [1, 5, 4, 4]: compares [1, 2, 2, 2] with [1, 5, 2, 2]",
    );
  });

  it("trains nothing, and leaves modes as they are", () => {
    const trainer = trainerOf({ hard: labelTerm() });
    const before = hashOf(trainer.student);
    planOf(trainer, [2, inputs]);
    expect(hashOf(trainer.student)).toBe(before);
    expect([trainer.student.training, trainer.steps]).toEqual([true, 0]);
  });

  it("shows options of 0", () => {
    const trainer = trainerOf({
      order: logitTerm(pearsonCorrelationLoss, { options: { interClassWeight: 0 } }),
    });
    expect(`${planOf(trainer, [2, inputs])}`).toBe("order: 1 × pearsonCorrelationLoss, interClassWeight 0");
  });

  it("tries losses whose stage is to come, one that asks for labels too, and asks no teacher for logits", () => {
    const decoupled = logitTerm((z, v, _, labels) => decoupledDistillationLoss(z, v, labels!));
    const later = logitTerm(softTargetLoss, {
      weight: during({ from: 1000 }),
      options: { temprature: 4 } as never,
    });
    const absent = Object.assign(network(16, 100), {
      forward: () => {
        throw new Error("asked");
      },
    });
    expect(planOf(trainerOf({ decoupled }, network(4, 1), absent), [2, inputs]).terms).toHaveLength(1);
    expect(() => planOf(trainerOf({ decoupled, later }), [2, inputs])).toThrow(
      "softTargetLoss: temperature must be a finite number above 0, got undefined",
    );
  });

  it("leaves the projection's statistics and mode as they are", () => {
    const projection = new Sequential({ wide: new Linear(4, 16), norm: new BatchNorm1d(16) });
    const trainer = trainerOf({ hints: featureTerm(hintLoss, { layers: [["relu", "relu", projection]] }) });
    const before = hashOf(projection);
    planOf(trainer, randn([6, inputs]));
    expect([hashOf(projection), projection.training]).toEqual([before, true]);
  });

  it("refuses what the first step would refuse", () => {
    const hints = (...layers: FeaturePair[]): Terms => ({ hints: featureTerm(hintLoss, { layers }) });
    expect(() => planOf(trainerOf(hints(["relu", "relu"])), [2, inputs])).toThrow(
      'planOf: "hints": student "relu" [2, 4] against teacher "relu" [2, 16]: hintLoss: student and teacher must have the same shape, got [2, 4] and [2, 16]; projectedPairs makes a projection',
    );
    const wrong = trainerOf(hints(["relu", "relu", new Linear(5, 16)]));
    expect(() => planOf(wrong, [2, inputs])).toThrow(
      'planOf: "hints": student "relu" [2, 4] through Linear against teacher "relu" [2, 16]: linear: expected x [rows, in] and weight [out, in], got x [2, 4] and weight [16, 5]',
    );
    expect(() => planOf(3 as never, [1])).toThrow("planOf: expected a DistillationTrainer, got 3");
  });
});

describe("projectedPairs", () => {
  const project = (student: Module, of: Module, input: number[], random?: RandomStream): FeaturePair[] => {
    const names = [...student.children().keys()].slice(0, 1);
    return projectedPairs(student, of, [[names[0], names[0]]], { input, ...(random && { random }) });
  };

  it("makes a linear layer where the last axis differs, in the student's kernel set", () => {
    const [[, , projection]] = project(network(4, 1, float64), network(16, 1, float64), [1, inputs]);
    expect(projection).toBeInstanceOf(Linear);
    const { weight } = projection as Linear;
    expect(weight.shape).toEqual([16, 4]);
    expect(weight.kernels).toBe(float64);
  });

  it("makes a 1 × 1 convolution where maps differ in channels, whatever their sides", () => {
    const [[, , projection]] = project(convolutional(2, 0), convolutional(5, 1), [1, 1, 4, 4]);
    expect(projection).toBeInstanceOf(Conv2d);
    expect((projection as Conv2d).weight.shape).toEqual([5, 2, 1, 1]);
  });

  it("makes none where none is needed, and keeps one that is given", () => {
    expect(project(network(16, 1), teacher, [1, inputs])).toEqual([["hidden", "hidden"]]);
    expect(project(convolutional(5, 0), convolutional(5, 1), [1, 1, 4, 4])).toEqual([["conv", "conv"]]);
    const own = new Linear(4, 16);
    const pairs: FeaturePair[] = [["relu", "relu", own]];
    expect(projectedPairs(network(4, 1), teacher, pairs, { input: [1, inputs] })[0][2]).toBe(own);
  });

  it("draws the weights from the stream that it is given", () => {
    const hash = (seed: number): string => {
      const [[, , projection]] = project(network(4, 1), teacher, [1, inputs], new RandomStream(seed));
      return hashOf(projection!);
    };
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });

  it("names the projections for an optimizer", () => {
    const pairs = projectedPairs(
      network(4, 1),
      teacher,
      [
        ["hidden", "relu"],
        ["logits", "logits"],
      ],
      {
        input: [1, inputs],
      },
    );
    expect([...parametersOf(projectionsByName(pairs)).keys()]).toEqual([
      "hidden → relu.weight",
      "hidden → relu.bias",
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      "shapes that no such projection joins",
      () =>
        projectedPairs(
          new Sequential({ shaped: new Reshape([5, 1]), logits: new Linear(1, 3) }),
          new Sequential({ shaped: new Reshape([1, 5]), logits: new Linear(5, 3) }),
          [["shaped", "shaped"]],
          { input: [2, 5] },
        ),
      'projectedPairs: student "shaped" is [2, 5, 1] and teacher "shaped" is [2, 1, 5]; only the last axis, or the channels of maps, can be projected',
    ],
    [
      "a layer that does not exist",
      () => projectedPairs(network(4, 1), teacher, [["relux", "relu"]], { input: [1, inputs] }),
      'projectedPairs: the student has no layer "relux"; it has "hidden", "relu", "logits"',
    ],
    [
      "an unknown option",
      () => projectedPairs(network(4, 1), teacher, [["relu", "relu"]], { x: [1] } as never),
      'projectedPairs: unknown option "x"; possible are input, random',
    ],
    [
      "a teacher without layers",
      () =>
        projectedPairs(network(4, 1), (() => zeros([1])) as never, [["relu", "relu"]], {
          input: [1, inputs],
        }),
      "projectedPairs: features are taken from a Module; this teacher is none",
    ],
    [
      "to name what are no pairs",
      () => projectionsByName({ relu: "relu" } as never),
      "projectionsByName: expected a list of pairs, as projectedPairs makes it, got an object",
    ],
    [
      "no input",
      () => projectedPairs(network(4, 1), teacher, [["relu", "relu"]], {} as never),
      "projectedPairs: expected a shape such as [2, 3], got undefined",
    ],
  ])("refuses %s", (_, act, message) => {
    expect(act).toThrow(DistilgradError);
    expect(act).toThrow(message);
  });
});
