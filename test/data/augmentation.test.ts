import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Augmentation,
  Batches,
  type BatchesOptions,
  type BatchesState,
  type Dataset,
  ImageAugmentation,
} from "../../src/data/index.ts";
import { KnowledgeDistillationTrainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { arange, ones, randn, zeros } from "../../src/factories.ts";
import { float64 } from "../../src/kernels/float64.ts";
import { Linear, Module } from "../../src/nn/index.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { SGD } from "../../src/optim/sgd.ts";
import { RandomStream } from "../../src/random.ts";
import type { Tensor } from "../../src/tensor.ts";

const rows = 11;
const dataset: Dataset & { readonly labels: Int32Array } = {
  x: randn([rows, 12], { random: new RandomStream(1) }),
  labels: Int32Array.from({ length: rows }, (_, i) => (i < 7 ? 0 : i)),
};
const augment = new ImageAugmentation({
  shape: [1, 3, 4],
  shift: 1,
  rotate: 20,
  scale: 0.1,
  noise: 0.2,
  seed: 5,
});
const loader = (options: Partial<BatchesOptions> = {}, seed = 1): Batches =>
  new Batches(dataset, { size: 4, random: new RandomStream(seed, "shuffle"), augment, ...options });

/** Writes down what it is asked for, and changes nothing. */
class Witness implements Augmentation {
  readonly asked: (readonly [samples: number[], epoch: number])[] = [];
  apply(x: Tensor, samples: ArrayLike<number>, epoch: number): Tensor {
    this.asked.push([Array.from(samples), epoch]);
    return x;
  }
}

/** How every sample looks in an epoch; each that comes must look the same whenever it comes. */
function looks(batches: Batches, witness: Batches): Map<number, string> {
  const found = new Map<number, string>();
  for (const { x } of batches) {
    const numbers = [...witness.next().x.data];
    numbers.forEach((sample, row) => {
      const look = x.data.subarray(row * 12, row * 12 + 12).join();
      expect(found.get(sample) ?? look).toBe(look);
      found.set(sample, look);
    });
  }
  return found;
}

describe("Batches with an augmentation", () => {
  it("show a sample of an epoch the same way in any order, size of batch and balance", () => {
    const numbers = { x: reshape(arange(rows), [rows, 1]), labels: dataset.labels };
    const cases: Partial<BatchesOptions>[] = [
      { size: 1 },
      { size: 5, random: undefined },
      { size: 20 },
      { size: 3, dropLast: true },
      { size: 2, balanced: true },
    ];
    for (const options of cases) {
      const given = (): BatchesOptions => ({ size: 4, random: new RandomStream(9), ...options });
      const batches = new Batches(dataset, { ...given(), augment });
      const witness = new Batches(numbers, given());
      for (let epoch = 0; epoch < 3; epoch++) {
        const whole = augment.apply(
          dataset.x,
          Uint32Array.from({ length: rows }, (_, i) => i),
          epoch,
        );
        const found = looks(batches, witness);
        expect(found.size).toBeGreaterThan(4);
        for (const [sample, look] of found) {
          expect(look).toBe(whole.data.subarray(sample * 12, sample * 12 + 12).join());
        }
      }
    }
  });

  it("leave labels as they are, and the dataset's x", () => {
    const before = dataset.x.data.slice();
    const [a, b] = [loader(), loader({ augment: undefined })];
    for (let i = 0; i < 6; i++) {
      const [changed, plain] = [a.next(), b.next()];
      expect(changed.labels).toEqual(plain.labels);
      expect(changed.x.shape).toEqual(plain.x.shape);
      expect(changed.x.data).not.toEqual(plain.x.data);
    }
    expect(dataset.x.data).toEqual(before);
  });

  it("tell it which samples of which epoch the rows are", () => {
    const witness = new Witness();
    const batches = new Batches(dataset, { size: 4, augment: witness });
    for (let i = 0; i < 5; i++) batches.next();
    expect(witness.asked).toEqual([
      [[0, 1, 2, 3], 0],
      [[4, 5, 6, 7], 0],
      [[8, 9, 10], 0],
      [[0, 1, 2, 3], 1],
      [[4, 5, 6, 7], 1],
    ]);
  });

  it("cannot be led astray by one that writes to the samples or to x", () => {
    const vandal: Augmentation = {
      apply(x, samples) {
        (samples as Uint32Array).fill(0);
        x.update((data) => data.fill(-1));
        return x;
      },
    };
    const before = dataset.x.data.slice();
    const batches = new Batches(dataset, { size: 4, augment: vandal });
    for (let epoch = 0; epoch < 2; epoch++) {
      expect([...batches].flatMap(({ labels }) => [...labels!])).toEqual([...dataset.labels]);
    }
    expect(dataset.x.data).toEqual(before);
  });

  it("go on from a saved state at any position with the same bits, balanced or not", () => {
    const taken = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(taken, fc.boolean(), fc.integer({ min: 1, max: 5 }), (taken, balanced, size) => {
        const batches = loader({ balanced, size });
        for (let i = 0; i < taken; i++) batches.next();
        const state: BatchesState = JSON.parse(JSON.stringify(batches.state()));
        const other = loader({ balanced, size }, 2);
        other.next();
        other.restore(state);
        for (let i = 0; i < 6; i++) {
          const [a, b] = [batches.next(), other.next()];
          expect(b.x.data).toEqual(a.x.data);
          expect(b.labels).toEqual(a.labels);
        }
        expect(other.state()).toEqual(batches.state());
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it("give teacher and student one and the same x", () => {
    const seen: Tensor[] = [];
    class Looking extends Module {
      linear = new Linear(12, 11, { random: new RandomStream(1) });
      forward(x: Tensor): Tensor {
        seen.push(x);
        return this.linear.forward(x);
      }
    }
    const student = new Looking();
    const trainer = new KnowledgeDistillationTrainer({
      teacher: new Looking(),
      student,
      optimizer: new SGD(student.parameters(), { learningRate: 0.1 }),
    });
    const batch = loader().next();
    trainer.trainStep(batch);
    expect(seen).toHaveLength(2);
    for (const x of seen) expect(x).toBe(batch.x);
  });

  it("are new memory each", () => {
    const batches = loader({ augment: new ImageAugmentation({ shape: [1, 3, 4] }) });
    const first = batches.next().x;
    const values = first.data.slice();
    batches.next().x.update((data) => data.fill(0));
    expect(first.data).toEqual(values);
  });

  it("refuse stored teacher logits, which answer other images", () => {
    const stored = { ...dataset, teacherLogits: zeros([rows, 2]) };
    expect(() => new Batches(stored, { size: 4, augment })).toThrow(
      new DistilgradError(
        "data",
        "Batches: the dataset's teacherLogits answer x as it is, not what augment makes of it; leave them out, so that the teacher is asked about each batch",
      ),
    );
  });

  it.each<[string, unknown]>([
    ["the function ImageAugmentation", ImageAugmentation],
    ["a function", (x: Tensor) => x],
    ["an object", { shift: 1 }],
    ["0.1", 0.1],
  ])("refuse %s as an augmentation", (got, given) => {
    expect(() => loader({ augment: given as unknown as Augmentation })).toThrow(
      new DistilgradError(
        "value",
        `Batches: augment must be an object with apply(x, samples, epoch), such as new ImageAugmentation({ shift: 1 }), got ${got}`,
      ),
    );
  });

  it.each<[string, unknown]>([
    ["[4, 1, 3, 4] in float32", zeros([4, 1, 3, 4])],
    ["[3, 12] in float32", zeros([3, 12])],
    ["[4, 12] in float64", ones([4, 12], { kernels: float64 })],
    ["a Float32Array", new Float32Array(48)],
    ["a Promise", Promise.resolve()],
    ["undefined", undefined],
  ])("refuse an augmentation that returns %s", (got, made) => {
    const batches = loader({ augment: { apply: () => made as Tensor } });
    expect(() => batches.next()).toThrow(
      new DistilgradError(
        "data",
        `Batches: augment must return x as a tensor [4, 12] in float32 again, got ${got}`,
      ),
    );
  });
});
