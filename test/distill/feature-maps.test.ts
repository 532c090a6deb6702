/** Features that are maps: convolutional teachers and students whose layers differ in channels, height and width. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheck } from "../../src/check/gradcheck.ts";
import { FeatureDistillationTrainer, featureMatchingLoss } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { ones, randn, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import {
  AvgPool2d,
  Conv2d,
  Flatten,
  Linear,
  MaxPool2d,
  parametersOf,
  ReLU,
  Sequential,
} from "../../src/nn/index.ts";
import { adaptiveAvgPool2d } from "../../src/ops/adaptive-avg-pool2d.ts";
import { mse } from "../../src/ops/mse.ts";
import { Adam } from "../../src/optim/index.ts";
import { RandomStream } from "../../src/random.ts";
import { sha256OfFloats } from "../../src/sha256.ts";
import { Tensor } from "../../src/tensor.ts";
import { operand, operandIn } from "../support/arbitraries.ts";

/** The mean over blocks of one size, with four loops. */
function blockMeans(x: Tensor, height: number, width: number): Tensor {
  const [rows, channels, h, w] = x.shape;
  const data = new Float64Array((rows * channels * h * w) / (height * width));
  let at = 0;
  for (let plane = 0; plane < rows * channels; plane++) {
    for (let i = 0; i < h; i += height) {
      for (let j = 0; j < w; j += width) {
        let sum = 0;
        for (let y = i; y < i + height; y++) {
          for (let z = j; z < j + width; z++) sum += x.data[(plane * h + y) * w + z];
        }
        data[at++] = sum / (height * width);
      }
    }
  }
  return new Tensor(data, [rows, channels, h / height, w / width], float64);
}

const drawn = (shape: readonly number[], seed: number): Tensor =>
  randn(shape, { random: new RandomStream(seed), kernels: float64 });

describe("featureMatchingLoss of maps", () => {
  it("is the mean squared error where their sizes are equal", () => {
    const [a, b] = [drawn([2, 3, 4, 5], 1), drawn([2, 3, 4, 5], 2)];
    expect(featureMatchingLoss([a], [b]).item()).toBe(mse(a, b).item());
  });

  it("averages the larger down to the smaller, whichever side it is on", () => {
    const [large, small] = [drawn([2, 3, 4, 6], 1), drawn([2, 3, 2, 2], 2)];
    const expected = mse(blockMeans(large, 2, 3), small).item();
    expect(featureMatchingLoss([large], [small]).item()).toBeCloseTo(expected, 14);
    expect(featureMatchingLoss([small], [large]).item()).toBeCloseTo(expected, 14);
  });

  it("takes the smaller of each side where one map is higher and the other wider", () => {
    const [high, wide] = [drawn([1, 2, 6, 2], 1), drawn([1, 2, 3, 4], 2)];
    const expected = mse(blockMeans(high, 2, 1), blockMeans(wide, 1, 2)).item();
    expect(featureMatchingLoss([high], [wide]).item()).toBeCloseTo(expected, 14);
  });

  it("has the gradient that differences measure, through the averages of both", () => {
    fc.assert(
      fc.property(operand([2, 2, 3, 5]), operand([2, 2, 4, 2]), (a, b) => {
        gradcheck((s, t) => featureMatchingLoss([s], [t]), [operandIn(float64, a), operandIn(float64, b)]);
      }),
      { seed: 1, numRuns: 5 },
    );
  });

  it("refuses other channels, and names the projection that would do", () => {
    expect(() =>
      featureMatchingLoss([zeros([4, 8, 6, 6])], [zeros([4, 16, 3, 3])], [["conv1", "conv2"]]),
    ).toThrow(
      new DistilgradError(
        "shape",
        'featureMatchingLoss: student "conv1" is [4, 8, 6, 6] and teacher "conv2" is [4, 16, 3, 3]; add a projection, such as new Conv2d(8, 16, 1)',
      ),
    );
  });
});

const teacherOf = (random: RandomStream): Sequential =>
  new Sequential({
    conv1: new Conv2d(1, 6, 3, { padding: 1, random }),
    relu1: new ReLU(),
    conv2: new Conv2d(6, 8, 3, { padding: 1, random }),
    relu2: new ReLU(),
    flat: new Flatten(),
    logits: new Linear(8 * 36, 3, { random }),
  });

const studentOf = (random: RandomStream): Sequential =>
  new Sequential({
    conv: new Conv2d(1, 4, 3, { padding: 1, random }),
    relu: new ReLU(),
    pool: new MaxPool2d(2),
    flat: new Flatten(),
    logits: new Linear(4 * 9, 3, { random }),
  });

describe("FeatureDistillationTrainer on maps", () => {
  const random = new RandomStream(7, "init");
  const teacher = teacherOf(random);
  const batch = {
    x: randn([12, 1, 6, 6], { random }),
    labels: Int32Array.from({ length: 12 }, (_, row) => row % 3),
  };

  it("brings the student's maps nearer to the teacher's through a 1×1 projection, pooled to one size", () => {
    const student = studentOf(random);
    const projection = new Conv2d(4, 8, 1, { random });
    const trainer = new FeatureDistillationTrainer({
      teacher,
      student,
      optimizer: new Adam(parametersOf({ student, projection }), { learningRate: 0.02 }),
      features: [["pool", "relu2", projection]],
      beta: 1,
    });
    const before = { teacher: weights(teacher), projection: weights(projection) };
    const first = trainer.trainStep(batch).feature;
    let last = first;
    for (let step = 0; step < 60; step++) last = trainer.trainStep(batch).feature;
    expect(last).toBeLessThan(0.6 * first);
    expect(weights(projection)).not.toBe(before.projection);
    expect(weights(teacher)).toBe(before.teacher);
    expect([...student.parameters().keys()].some((name) => name.includes("projection"))).toBe(false);
  });

  it("needs no projection where only the sides differ, and matches several pairs at once", () => {
    const student = new Sequential({
      conv: new Conv2d(1, 6, 3, { padding: 1, random }),
      pool: new AvgPool2d(2),
      conv2: new Conv2d(6, 8, 3, { padding: 1, random }),
      flat: new Flatten(),
      logits: new Linear(8 * 9, 3, { random }),
    });
    const trainer = new FeatureDistillationTrainer({
      teacher,
      student,
      optimizer: new Adam(student.parameters()),
      features: [
        ["pool", "relu1"],
        ["conv2", "relu2"],
      ],
    });
    const [answered, asked] = [student, teacher].map((model) => model.features(batch.x).features);
    const distances = [
      mse(adaptiveAvgPool2d(answered.get("pool")!, 3), adaptiveAvgPool2d(asked.get("relu1")!, 3)),
      mse(answered.get("conv2")!, adaptiveAvgPool2d(asked.get("relu2")!, 3)),
    ].map((distance) => distance.item());
    const { feature } = trainer.trainStep(batch);
    expect(feature).toBe(Math.fround(distances[0] + distances[1]));
    expect(Math.min(...distances)).toBeGreaterThan(0);
  });

  it("says at the first step which projection is missing", () => {
    const student = studentOf(random);
    const trainer = new FeatureDistillationTrainer({
      teacher,
      student,
      optimizer: new Adam(student.parameters()),
      features: [["pool", "relu2"]],
    });
    expect(() => trainer.trainStep({ ...batch, x: ones([12, 1, 6, 6]) })).toThrow(
      new DistilgradError(
        "shape",
        'featureMatchingLoss: student "pool" is [12, 4, 3, 3] and teacher "relu2" is [12, 8, 6, 6]; add a projection, such as new Conv2d(4, 8, 1)',
      ),
    );
  });
});

const weights = (model: Sequential | Conv2d): string =>
  sha256OfFloats([...model.stateDict().values()].map(({ data }) => data));
