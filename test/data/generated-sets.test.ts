import { describe, expect, it } from "vitest";
import { Batches, type Dataset, moons, shapeNames, shapes, spirals } from "../../src/data/index.ts";
import { evaluate, fit, SupervisedTrainer } from "../../src/distill/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { Linear, type Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { reshape } from "../../src/ops/reshape.ts";
import { Adam } from "../../src/optim/adam.ts";
import { cosine, LearningRate } from "../../src/optim/schedules.ts";
import { RandomStream } from "../../src/random.ts";
import { sha256OfFloats } from "../../src/sha256.ts";
import { sizeOf } from "../../src/shape.ts";

const random = (seed = 1): RandomStream => new RandomStream(seed, "points");
const point = ({ x }: Dataset, row: number): [number, number] => [x.data[2 * row], x.data[2 * row + 1]];
const turns = (rows: number, classes: number): number[] =>
  Array.from({ length: rows }, (_, row) => row % classes);

const sets: [string, (rows: number, random: RandomStream) => Dataset, number, number[], string][] = [
  [
    "moons",
    (rows, random) => moons({ rows, random }),
    2,
    [2],
    "8882b3c9c8dda457bd1f1b9c28dc56aa6974b46a61d4adc6a0c3d301934f50f0",
  ],
  [
    "spirals",
    (rows, random) => spirals({ rows, random, classes: 3 }),
    3,
    [2],
    "b2d0dae0e280d7ab20756e6f1dc1e83046e988a84ba23863a1c180e716450f4b",
  ],
  [
    "shapes",
    (rows, random) => shapes({ rows, random }),
    6,
    [1, 16, 16],
    "35c84447780986fd39ae4ceb0cbec92fc3b69977e50f09d2955c3e0ec59fa535",
  ],
];

describe.each(sets)("%s", (_, make, classes, shape, hash) => {
  it("are as many rows as asked for, the classes in turn", () => {
    for (const rows of [1, 2, 7, 24]) {
      const { x, labels } = make(rows, random());
      expect(x.shape).toEqual([rows, ...shape]);
      expect([...labels!]).toEqual(turns(rows, classes));
      expect(x.data.every(Number.isFinite)).toBe(true);
    }
  });

  it("are the same for the same seed, others for another, and begin with what fewer rows are", () => {
    const { data } = make(20, random()).x;
    expect(make(20, random()).x.data).toEqual(data);
    expect(make(20, random(2)).x.data).not.toEqual(data);
    expect(make(6, random()).x.data).toEqual(data.slice(0, 6 * sizeOf(shape)));
  });

  it("are the same bits everywhere", () => {
    expect(sha256OfFloats([make(60, random()).x.data])).toBe(hash);
  });
});

describe("moons", () => {
  it("lie on two half circles that reach into each other", () => {
    const set = moons({ rows: 200, noise: 0, random: random() });
    for (let row = 0; row < 200; row++) {
      const [x, y] = point(set, row);
      const [right, up] = row % 2 === 0 ? [x, y] : [1 - x, 0.5 - y];
      expect(Math.hypot(right, up)).toBeCloseTo(1, 6);
      expect(up).toBeGreaterThanOrEqual(0);
    }
    // t is uniform: the mean of cos t is 0, with deviation 1/√2.
    const mean = turns(200, 2).reduce((sum, label, row) => sum + point(set, row)[0] - label, 0) / 200;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(400));
  });

  it("have noise on both coordinates, 0.1 unless another is asked for", () => {
    for (const [options, noise] of [
      [{}, 0.1],
      [{ noise: 0.3 }, 0.3],
    ] as const) {
      const clean = moons({ rows: 1000, noise: 0, random: random() }).x.data;
      const noisy = moons({ rows: 1000, random: random(), ...options }).x.data;
      for (const axis of [0, 1]) {
        let squares = 0;
        for (let i = axis; i < 2000; i += 2) squares += (noisy[i] - clean[i]) ** 2;
        expect(Math.abs(squares / 1000 / noise ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / 1000));
      }
    }
  });
});

describe("spirals", () => {
  it("wind anticlockwise from the centre out to radius 1, one arm a class", () => {
    for (const [classes, winds] of [
      [2, 1],
      [3, 0.5],
      [1, -2],
    ] as const) {
      const set = spirals({ rows: 300, classes, turns: winds, noise: 0, random: random() });
      let furthest = 0;
      for (let row = 0; row < 300; row++) {
        const [x, y] = point(set, row);
        const r = Math.hypot(x, y);
        const angle = 2 * Math.PI * (winds * r + (row % classes) / classes);
        expect(x).toBeCloseTo(r * Math.cos(angle), 5);
        expect(y).toBeCloseTo(r * Math.sin(angle), 5);
        furthest = Math.max(furthest, r);
      }
      expect(furthest).toBeGreaterThan(0.98);
      expect(furthest).toBeLessThanOrEqual(1);
    }
  });

  it("have two arms of one turn and noise of 0.02 unless asked otherwise", () => {
    const set = spirals({ rows: 100, random: random() });
    const same = spirals({ rows: 100, classes: 2, turns: 1, noise: 0.02, random: random() });
    expect(set).toEqual(same);
    const noisy = spirals({ rows: 2000, noise: 0.5, random: random() }).x.data;
    const clean = spirals({ rows: 2000, noise: 0, random: random() }).x.data;
    let squares = 0;
    noisy.forEach((value, i) => {
      squares += (value - clean[i]) ** 2;
    });
    expect(Math.abs(squares / 4000 / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / 4000));
  });
});

describe("shapes", () => {
  const { x, labels } = shapes({ rows: 600, random: random() });
  const images = Array.from({ length: 600 }, (_, row) => x.data.slice(row * 256, row * 256 + 256));
  const ink = (image: ArrayLike<number>): number => Array.from(image).reduce((sum, value) => sum + value, 0);
  const brightest = (image: ArrayLike<number>): number => Math.max(...Array.from(image));

  it("have a name for each class", () => {
    expect(shapeNames).toEqual(["disc", "ring", "square", "frame", "triangle", "cross"]);
    expect(Math.max(...labels)).toBe(shapeNames.length - 1);
  });

  it("are light on black, 0 … 1, soft at the edges, of intensities from a half on", () => {
    expect(x.data.every((value) => value >= 0 && value < 1)).toBe(true);
    const brightness = images.map(brightest);
    expect(Math.min(...brightness)).toBeLessThan(0.52);
    expect(Math.max(...brightness)).toBeGreaterThan(0.98);
    for (const image of images) {
      const most = brightest(image);
      expect(image.filter((value) => value === 0).length).toBeGreaterThan(100);
      expect(image.filter((value) => value > 0 && value < most).length).toBeGreaterThan(4);
    }
  });

  it("lie inside: the corners are black, and the ink of each is its area, wherever it lies", () => {
    for (const image of images) for (const corner of [0, 15, 240, 255]) expect(image[corner]).toBe(0);
    const source = random();
    for (let row = 0; row < 600; row++) {
      const r = (0.22 + 0.18 * source.uniform()) * 16;
      for (let i = 0; i < 3; i++) source.uniform();
      const intensity = 0.5 + 0.5 * source.uniform();
      const area = ink(images[row]) / intensity;
      // Of the shapes as they are drawn: lines are 1.6 pixels wide and end at the edge.
      const [disc, square, ring, frame] = [0.85 * r, 1.5 * r, 0.9 * r, 1.5 * r];
      const exact = [
        Math.PI * disc ** 2,
        Math.PI * (ring ** 2 - (ring - 1.6) ** 2),
        square ** 2,
        frame ** 2 - (frame - 3.2) ** 2,
        3 * Math.sqrt(3) * (0.55 * r) ** 2,
        4 * (0.3 * r * r * 2 - (0.3 * r) ** 2),
      ][row % 6];
      // Clamped distances miss a little at corners and on curves.
      expect(Math.abs(area / exact - 1)).toBeLessThan(0.12);
    }
  });

  it("come in other sizes, the same picture finer or coarser", () => {
    for (const size of [8, 13, 32]) {
      const set = shapes({ rows: 12, size, random: random() });
      expect(set.x.shape).toEqual([12, 1, size, size]);
      for (let row = 0; row < 12; row++) {
        const image = set.x.data.slice(row * size * size, (row + 1) * size * size);
        expect(Math.abs(((ink(image) / ink(images[row])) * 256) / size ** 2 - 1)).toBeLessThan(0.15);
      }
    }
  });
});

function perceptron(inputs: number, classes: number, hidden: number): Sequential {
  const random = new RandomStream(1, "init");
  return new Sequential({
    hidden: new Linear(inputs, hidden, { random }),
    relu: new ReLU(),
    more: new Linear(hidden, hidden, { random }),
    relu2: new ReLU(),
    logits: new Linear(hidden, classes, { random }),
  });
}

function trained(model: Module, train: Dataset, epochs: number, learningRate: number): Module {
  const optimizer = new Adam(model.parameters(), { learningRate });
  const batches = new Batches(train, { size: 32, random: new RandomStream(1, "shuffle") });
  const schedule = new LearningRate(optimizer, cosine({ steps: epochs * batches.perEpoch }));
  for (const _ of fit(new SupervisedTrainer({ model, optimizer }), batches, { epochs, schedule }));
  return model;
}

describe("a perceptron", () => {
  it("learns moons and spirals", () => {
    for (const make of [
      (rows: number, seed: number) => moons({ rows, random: random(seed) }),
      (rows: number, seed: number) => spirals({ rows, random: random(seed) }),
    ]) {
      const model = trained(perceptron(2, 2, 24), make(300, 1), 40, 0.02);
      expect(evaluate(model, make(400, 2)).accuracy).toBeGreaterThan(0.95);
    }
  });

  it("learns shapes clearly beyond chance, though it has to see them in every place", () => {
    const make = (rows: number, seed: number): Dataset => {
      const { x, labels } = shapes({ rows, random: random(seed) });
      return { x: reshape(x, [rows, 256]), labels };
    };
    const model = trained(perceptron(256, 6, 32), make(900, 1), 12, 0.005);
    expect(evaluate(model, make(400, 2)).accuracy).toBeGreaterThan(0.45);
  });
});

describe("a wrong call", () => {
  it.each<[string, () => unknown]>([
    [
      'moons: unknown option "samples"; possible are rows, noise, random',
      () => moons({ samples: 5 } as unknown as Parameters<typeof moons>[0]),
    ],
    [
      "moons: expected { rows, noise, random }, got undefined",
      () => moons(undefined as unknown as Parameters<typeof moons>[0]),
    ],
    ["moons: rows must be a whole number of at least 1, got 0", () => moons({ rows: 0, random: random() })],
    [
      "moons: noise must be a finite standard deviation of at least 0, got -0.1",
      () => moons({ rows: 5, noise: -0.1, random: random() }),
    ],
    [
      "moons: expected random, a RandomStream, got undefined",
      () => moons({ rows: 5 } as unknown as Parameters<typeof moons>[0]),
    ],
    [
      'spirals: unknown option "arms"; possible are rows, classes, turns, noise, random',
      () => spirals({ arms: 5 } as unknown as Parameters<typeof spirals>[0]),
    ],
    [
      "spirals: rows must be a whole number of at least 1, got 1.5",
      () => spirals({ rows: 1.5, random: random() }),
    ],
    [
      "spirals: classes must be a whole number of at least 1, got 0",
      () => spirals({ rows: 5, classes: 0, random: random() }),
    ],
    [
      "spirals: turns must be a finite number, got Infinity",
      () => spirals({ rows: 5, turns: Infinity, random: random() }),
    ],
    [
      "spirals: noise must be a finite standard deviation of at least 0, got NaN",
      () => spirals({ rows: 5, noise: Number.NaN, random: random() }),
    ],
    [
      "spirals: expected random, a RandomStream, got 7",
      () => spirals({ rows: 5, random: 7 } as unknown as Parameters<typeof spirals>[0]),
    ],
    [
      'shapes: unknown option "noise"; possible are rows, size, random',
      () => shapes({ rows: 1, noise: 1, random: random() } as unknown as Parameters<typeof shapes>[0]),
    ],
    [
      "shapes: rows must be a whole number of at least 1, got -1",
      () => shapes({ rows: -1, random: random() }),
    ],
    [
      "shapes: size must be a whole number of at least 8, got 7",
      () => shapes({ rows: 1, size: 7, random: random() }),
    ],
    [
      "shapes: expected random, a RandomStream, got an object",
      () => shapes({ rows: 1, random: {} } as unknown as Parameters<typeof shapes>[0]),
    ],
  ])("is refused: %s", (message, call) => {
    expect(call).toThrow(new DistilgradError("value", message));
  });
});
