import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradcheckTrainer } from "../../../src/check/index.ts";
import {
  DistillationTrainer,
  Ensemble,
  type EnsembleOptions,
  evaluate,
  FeatureDistillationTrainer,
  KnowledgeDistillationTrainer,
  logitTerm,
  predictLogits,
  type Teacher,
} from "../../../src/distill/index.ts";
import { DistilgradError } from "../../../src/errors.ts";
import { tensor, zeros } from "../../../src/factories.ts";
import { withinStep } from "../../../src/graph.ts";
import { float32 } from "../../../src/kernels/float32.ts";
import { float64 } from "../../../src/kernels/float64.ts";
import type { Kernels } from "../../../src/kernels/kernels.ts";
import { BatchNorm1d, Linear, Module, Parameter, parametersOf, Sequential } from "../../../src/nn/index.ts";
import { softTargetLoss } from "../../../src/ops/index.ts";
import { SGD } from "../../../src/optim/index.ts";
import { RandomStream } from "../../../src/random.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { gamma, rowError, spread } from "../../support/row-errors.ts";
import { type Row, rowsOf as rowsIn, softmax, sum } from "../losses/cases.ts";
import { droppingNetwork, hashOf, network, rowsOf } from "../models.ts";

const batch = rowsOf(8, 1);
const sgd = (model: Module): SGD => new SGD(model.parameters(), { learningRate: 0.1 });
const settings = { seed: 1, numRuns: process.env.DISTILGRAD_DEEP === undefined ? 100 : 5000 };
const { NEGATIVE_INFINITY: out } = Number;

/** A teacher that always answers the same. */
const saying =
  (rows: readonly Row[], kernels: Kernels = float64): Teacher =>
  () =>
    tensor(
      rows.map((row) => [...row]),
      { kernels },
    );
const x64 = zeros([1, 1], { kernels: float64 });
const answersOf = (members: readonly (readonly Row[])[], options: EnsembleOptions = {}): number[][] =>
  rowsIn(
    new Ensemble(
      members.map((rows) => saying(rows)),
      options,
    ).forward(x64),
  ).map((row) => [...row]);

const logit = fc.float({ min: -20, max: 20, noNaN: true });
const cases = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 5 }),
    count: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ rows, classes, count }) => {
    const list = <T>(of: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> =>
      fc.array(of, { minLength: length, maxLength: length });
    return fc.record({
      members: list(list(list(logit, classes), rows), count),
      weights: list(fc.integer({ min: 1, max: 9 }), count),
      temperatures: list(fc.constantFrom(0.5, 1, 3), count),
      temperature: fc.constantFrom(0.5, 1, 4, 20),
    });
  });

/** Σ w_k softmax(v_k / (T_k T)) of a row, as it is written. */
function meanOf(rows: readonly Row[], weights: Row, temperatures: Row, temperature: number): number[] {
  const softened = rows.map((row, k) => softmax(row, temperatures[k] * temperature));
  return rows[0].map((_, c) => sum(softened.map((q, k) => (weights[k] / sum(weights)) * q[c])));
}

/**
 * How far the softmax of an ensemble's answer to a row may be off, relatively: the members' softmaxes and logarithms are,
 * those computed here and those there, and the softmax of the answer. Between them a logarithm of at most the spread and
 * log classes is rounded a few times, and each member takes some roundings of its own.
 */
function meanError(rows: readonly Row[], answer: Row, temperatures: Row, temperature: number): number {
  const errors = rows.map((row, k) => rowError(row, temperatures[k] * temperature));
  const largest = Math.max(...rows.map((row, k) => spread(row) / (temperatures[k] * temperature)));
  const between = gamma(4 * (largest + Math.log(answer.length)) + 4 * rows.length + 8);
  return 2 * Math.max(...errors) + rowError(answer, temperature) + between;
}

describe("an ensemble", () => {
  it("has the golden means of two teachers: of probabilities by default, or of logits", () => {
    const [a, b] = [[[10, 0, 0]], [[0, 2, 0]]];
    const digits = (row: Row): string[] => softmax(row, 1).map((p) => p.toFixed(3));
    expect(digits(answersOf([a, b])[0])).toEqual(["0.553", "0.394", "0.053"]);
    expect(answersOf([a, b], { combine: "probabilities" })).toEqual(answersOf([a, b]));
    expect(digits(answersOf([a, b], { combine: "logits" })[0])).toEqual(["0.976", "0.018", "0.007"]);
  });

  it("answers logits whose softmax at its temperature is the weighted mean of its members' there", () => {
    fc.assert(
      fc.property(cases, ({ members, weights, temperatures, temperature }) => {
        const answers = answersOf(members, { weights, temperatures, temperature });
        for (const [row, answer] of answers.entries()) {
          const own = members.map((rows) => rows[row]);
          const expected = meanOf(own, weights, temperatures, temperature);
          const error = meanError(own, answer, temperatures, temperature);
          for (const [c, p] of softmax(answer, temperature).entries()) {
            expect(Math.abs(p - expected[c])).toBeLessThanOrEqual(error * expected[c]);
          }
        }
      }),
      settings,
    );
  });

  it("of logits answers Σ w v / T_k", () => {
    fc.assert(
      fc.property(cases, ({ members, weights, temperatures }) => {
        const answers = answersOf(members, { weights, temperatures, combine: "logits" });
        for (const [row, answer] of answers.entries()) {
          for (const [c, v] of answer.entries()) {
            const parts = members.map(
              (rows, k) => (weights[k] / sum(weights)) * (rows[row][c] / temperatures[k]),
            );
            const size = sum(parts.map(Math.abs));
            expect(Math.abs(v - sum(parts))).toBeLessThanOrEqual(gamma(2 * members.length + 6) * size);
          }
        }
      }),
      settings,
    );
  });

  it("weighs members by the largest probability of each in the row, if asked to, whatever the trainer's T", () => {
    fc.assert(
      fc.property(cases, ({ members, temperatures, temperature }) => {
        for (const combine of ["probabilities", "logits"] as const) {
          const own = { weights: "confidence", temperatures, combine } as const;
          const answers = answersOf(members, combine === "logits" ? own : { ...own, temperature });
          for (const [row, answer] of answers.entries()) {
            const rows = members.map((each) => each[row]);
            const weights = rows.map((v, k) => Math.max(...softmax(v, temperatures[k])));
            // Their relative errors, twice as they are divided by their sum.
            const error = 4 * Math.max(...rows.map((v, k) => rowError(v, temperatures[k])));
            if (combine === "logits") {
              const parts = answer.map((_, c) =>
                rows.map((v, k) => ((weights[k] / sum(weights)) * v[c]) / temperatures[k]),
              );
              for (const [c, v] of answer.entries()) {
                const size = sum(parts[c].map(Math.abs));
                expect(Math.abs(v - sum(parts[c]))).toBeLessThanOrEqual((error + gamma(16)) * size);
              }
            } else {
              const expected = meanOf(rows, weights, temperatures, temperature);
              const tolerance = error + meanError(rows, answer, temperatures, temperature);
              for (const [c, p] of softmax(answer, temperature).entries()) {
                expect(Math.abs(p - expected[c])).toBeLessThanOrEqual(tolerance * expected[c]);
              }
            }
          }
        }
      }),
      settings,
    );
  });

  it("teaches with what the mean of the softened distributions teaches with", () => {
    const z = [1, 2, 3];
    const members = [[[3, 1, 0.2]], [[-2, 6, 0]]];
    for (const T of [1, 4, 20]) {
      const answer = answersOf(members, { temperature: T });
      const loss = softTargetLoss(tensor([z], { kernels: float64 }), tensor(answer, { kernels: float64 }), {
        temperature: T,
      }).item();
      const q = meanOf(
        members.map(([row]) => row),
        [1, 1],
        [1, 1],
        T,
      );
      const p = softmax(z, T);
      const expected = T * T * sum(q.map((each, c) => each * Math.log(each / p[c])));
      expect(Math.abs(loss - expected)).toBeLessThanOrEqual(T * T * 1e-14);
    }
  });

  it("takes another mean at another temperature: softened again, the mean at 1 is not the mean at 4", () => {
    const members = [[[10, 0, 0]], [[0, 10, 0]]];
    const [at1] = answersOf(members);
    const [at4] = answersOf(members, { temperature: 4 });
    expect(softmax(at4, 4)[2]).toBeGreaterThan(0.06);
    expect(softmax(at1, 4)[2]).toBeLessThan(0.05);
  });
});

describe("an ensemble of one", () => {
  const odd = [0, -0, 1e-42, -3.4e38, 3.4e38, 7, out];

  it("is the teacher bit for bit, combined by logits", () => {
    for (const kernels of [float32, float64]) {
      const v = tensor([odd], { kernels });
      const { data } = new Ensemble([() => v], { combine: "logits", weights: [3] }).forward(v);
      expect([...data].map((value, i) => Object.is(value, v.data[i]))).toEqual(odd.map(() => true));
    }
  });

  it("teaches as the teacher does, combined by probabilities: logits are moved by a constant of their row", () => {
    const fields = { v: fc.array(logit, { minLength: 5, maxLength: 5 }), T: fc.constantFrom(0.5, 1, 4, 20) };
    fc.assert(
      fc.property(fc.record({ ...fields, z: fields.v }), ({ v, z, T }) => {
        for (const [kernels, unit] of [
          [float32, 2 ** -24],
          [float64, 2 ** -53],
        ] as const) {
          const teacher = tensor([v], { kernels });
          const one = new Ensemble([() => teacher], { temperature: T }).forward(teacher);
          const gradientOf = (answers: Tensor): number[] => {
            const own = tensor([z], { kernels, requiresGrad: true });
            softTargetLoss(own, answers, { temperature: T }).backward();
            return [...own.grad!.data];
          };
          const expected = gradientOf(teacher);
          // The answer is rounded when it is stored, which moves each q by the factor e^±; the rest is in float64.
          const stored = (2 * unit * Math.max(...[...one.data].map(Math.abs))) / T;
          const error = Math.expm1(stored) + 3 * rowError(v, T) + rowError([...one.data], T) + gamma(16);
          const q = softmax(v, T);
          for (const [c, g] of gradientOf(one).entries()) {
            const tolerance = T * error * q[c] + 2 * unit * Math.abs(expected[c]);
            expect(Math.abs(g - expected[c])).toBeLessThanOrEqual(tolerance);
          }
        }
      }),
      settings,
    );
  });
});

describe("the mean of probabilities", () => {
  it("does not change when a member adds a constant to its logits, or members change places", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: -64, max: 64 }), ({ members, weights }, constant) => {
        const plain = answersOf(members, { weights });
        const moved = members.map((rows) => rows.map((row) => row.map((v) => v + constant)));
        const turned = answersOf([...members].reverse(), { weights: [...weights].reverse() });
        for (const [row, answer] of plain.entries()) {
          const own = members.map((rows) => rows[row]);
          const ones = weights.map(() => 1);
          // A constant is lost in part where logits are rounded with it.
          const shift = gamma(4 * (Math.abs(constant) + 20));
          const error = 2 * meanError(own, answer, ones, 1) + shift;
          const p = softmax(answer, 1);
          for (const other of [answersOf(moved, { weights })[row], turned[row]]) {
            for (const [c, each] of softmax(other, 1).entries()) {
              expect(Math.abs(each - p[c])).toBeLessThanOrEqual(error * p[c]);
            }
          }
        }
      }),
      settings,
    );
  });

  it("of equal members is the member's", () => {
    const row = [3, -1, 0.5];
    const [answer] = answersOf([[row], [row], [row]], { weights: [1, 5, 2] });
    for (const [c, p] of softmax(answer, 1).entries()) expect(p).toBeCloseTo(softmax(row, 1)[c], 14);
  });

  it("finds possible what any member does, and rules out only what all of them do", () => {
    const members = [[[0, 0, out, out]], [[0, out, 0, out]]];
    const [answer] = answersOf(members);
    expect(softmax(answer, 1)).toEqual([0.5, 0.25, 0.25, 0].map((p) => expect.closeTo(p, 14)));
    expect(answer[3]).toBe(out);
    expect(answersOf(members, { combine: "logits" })[0]).toEqual([0, out, out, out]);
  });

  it("does not underflow: what all find very improbable is finite", () => {
    const [answer] = answersOf([[[0, -5000]], [[0, -6000]]]);
    // log ½ of the larger; the other is nothing beside it.
    expect(answer[1]).toBeCloseTo(-5000 - Math.log(2), 9);
  });

  it("is NaN in a row in which a member is, and only there", () => {
    for (const weights of [[1, 1], "confidence"] as const) {
      const answers = answersOf(
        [
          [
            [Number.NaN, 0],
            [1, 0],
          ],
          [
            [0, 0],
            [1, 0],
          ],
        ],
        { weights },
      );
      expect(answers[0].some(Number.isNaN)).toBe(true);
      expect(answers[1].every(Number.isFinite)).toBe(true);
    }
  });
});

describe("the members of an ensemble", () => {
  it("may be modules, objects with a forward, and functions; each is asked once a step", () => {
    const [a, b, c] = [1, 2, 3].map((seed) => network(6, seed));
    let asked = 0;
    const counted = (x: Tensor): Tensor => {
      asked++;
      return b.forward(x);
    };
    const student = network(4, 9);
    const teacher = new Ensemble([a, counted, { forward: (x) => c.forward(x) }], { temperature: 4 });
    const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer: sgd(student) });
    trainer.trainStep(batch);
    expect(asked).toBe(1);
    const twin = network(4, 9);
    const modules = new Ensemble([a, b, c], { temperature: 4 });
    new KnowledgeDistillationTrainer({ student: twin, teacher: modules, optimizer: sgd(twin) }).trainStep(
      batch,
    );
    expect(hashOf(student)).toBe(hashOf(twin));
  });

  it("of weight 0 are not asked", () => {
    const silent = (): Tensor => {
      throw new RangeError("asked");
    };
    const a = network(6, 1);
    const ensemble = new Ensemble([silent, a], { weights: [0, 3], combine: "logits" });
    expect(ensemble.forward(batch.x).data).toEqual(predictLogits(a, batch.x).data);
    expect(ensemble.weights).toEqual([0, 1]);
  });

  it("keep weights, buffers, modes and random streams, and answer in evaluation mode, without a graph", () => {
    const stream = new RandomStream(1, "dropout");
    const dropping = droppingNetwork(16, 100, stream);
    const normed = new Sequential({ norm: new BatchNorm1d(5), logits: new Linear(5, 3) });
    normed.children().get("norm")!.eval();
    const modesOf = (): boolean[] =>
      [dropping, normed].flatMap((model) => [...model.modules().values()].map(({ training }) => training));
    const before = [hashOf(dropping), hashOf(normed), stream.state(), modesOf()];
    const ensemble = new Ensemble([dropping, normed]);
    const student = network(4, 1);
    const trainer = new KnowledgeDistillationTrainer({
      student,
      teacher: ensemble.at(4),
      optimizer: sgd(student),
    });
    for (let i = 0; i < 3; i++) trainer.trainStep(batch);
    // Also when it is asked as any module is.
    expect(ensemble.training).toBe(true);
    const first = ensemble.forward(batch.x);
    expect(ensemble.forward(batch.x).data).toEqual(first.data);
    expect(first.requiresGrad).toBe(false);
    expect([hashOf(dropping), hashOf(normed), stream.state(), modesOf()]).toEqual(before);
    for (const { grad } of ensemble.parameters().values()) expect(grad).toBeNull();
  });

  it("that write to themselves in evaluation mode are refused by the name of what they wrote", () => {
    class Writing extends Module {
      readonly calls = zeros([1]);
      forward(x: Tensor): Tensor {
        this.calls.update((data) => data.fill(1));
        return zeros([x.shape[0], 3]);
      }
    }
    expect(() => new Ensemble([network(4, 1), new Writing()]).forward(batch.x)).toThrow(
      new DistilgradError(
        "changed",
        'teacher: "calls" was written to by the forward pass in evaluation mode; a teacher must stay as it is',
      ),
    );
  });

  it("may keep their answers: functions among them are asked outside the step", () => {
    const [a, b] = [network(6, 1), network(6, 2)];
    const kept = new Map<Tensor, Tensor>();
    const remembering = (x: Tensor): Tensor => {
      if (!kept.has(x)) kept.set(x, a.forward(x));
      return kept.get(x)!;
    };
    const student = network(4, 9);
    // In an ensemble of ensembles too.
    const inner = new Ensemble([remembering], { combine: "logits" });
    const teacher = new Ensemble([inner, b], { combine: "logits" });
    const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer: sgd(student) });
    for (let i = 0; i < 3; i++) trainer.trainStep(batch);
    expect(kept.size).toBe(1);
    expect(kept.get(batch.x)!.data.every(Number.isFinite)).toBe(true);
    kept.clear();
    predictLogits(teacher, batch.x);
    for (const answer of kept.values()) expect(answer.data.every(Number.isFinite)).toBe(true);
  });

  it("are children, so that layers of theirs can be matched by name", () => {
    const [student, a, b] = [network(6, 1), network(6, 2), network(7, 3)];
    const teacher = new Ensemble([a, b], { combine: "logits" });
    const trainer = new FeatureDistillationTrainer({
      student,
      teacher,
      optimizer: sgd(student),
      features: [["hidden", "members.0.hidden"]],
    });
    const { feature } = trainer.trainStep(batch);
    const alone = network(6, 1);
    const byOne = new FeatureDistillationTrainer({
      student: alone,
      teacher: a,
      optimizer: sgd(alone),
      features: [["hidden", "hidden"]],
    });
    expect(feature).toBe(byOne.trainStep(batch).feature);
  });

  it("compute in float64 where the gradient of a student is checked", () => {
    const [student, a, b] = [network(3, 1), network(6, 2), network(7, 3)];
    const teacher = new Ensemble([a, b]).at(4);
    const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer: sgd(student) });
    expect(gradcheckTrainer(trainer, batch).compared).toBe("entries");
  });
});

describe("an ensemble in a step", () => {
  it("computes in memory that the next step uses again, and says so", () => {
    const ensemble = new Ensemble([network(6, 1)]);
    const kept = withinStep(float32, () => ensemble.forward(batch.x));
    expect(() => kept.data).toThrow(
      /^data: a tensor \[8, 3\] was computed inside a training step that is over/,
    );
  });
});

describe("a trainer refuses an ensemble", () => {
  const make = (teacher: Teacher, student: Module, settings = {}): KnowledgeDistillationTrainer =>
    new KnowledgeDistillationTrainer({ teacher, student, optimizer: sgd(student), ...settings });

  it("with the student among its members, or a layer of the student's", () => {
    const [student, other] = [network(4, 1), network(4, 2)];
    expect(() => make(new Ensemble([other, student]).at(4), student)).toThrow(
      new DistilgradError(
        "model",
        'trainer: the optimizer\'s "hidden.weight" is the teacher\'s "members.1.hidden.weight"; give the optimizer only what the student trains',
      ),
    );
    const frozen = new Linear(5, 3, { random: new RandomStream(1) });
    for (const parameter of frozen.parameters().values()) parameter.requiresGrad = false;
    class Around extends Module {
      readonly inside = frozen;
      readonly own = new Parameter(zeros([8, 3]));
      forward(): Tensor {
        return this.own;
      }
    }
    const around = new Around();
    const optimizer = new SGD(new Map([["own", around.own as Tensor]]), { learningRate: 1 });
    const teacher = new Ensemble([other, new Ensemble([frozen])]).at(1);
    expect(
      () => new KnowledgeDistillationTrainer({ teacher, student: around, optimizer, temperature: 1 }),
    ).toThrow(
      new DistilgradError(
        "model",
        'trainer: the student\'s "inside.weight" is the teacher\'s "members.1.members.0.weight"; they must not share tensors',
      ),
    );
  });

  it("whose members are in the optimizer", () => {
    const [student, a] = [network(4, 1), network(4, 2)];
    const optimizer = new SGD(parametersOf({ student, a }), { learningRate: 0.1 });
    expect(
      () => new KnowledgeDistillationTrainer({ teacher: new Ensemble([a]).at(4), student, optimizer }),
    ).toThrow(
      'trainer: the optimizer\'s "a.hidden.weight" is the teacher\'s "members.0.hidden.weight"; give the optimizer only what the student trains',
    );
  });

  it("whose answers hold at another temperature than its own", () => {
    const ensemble = new Ensemble([network(6, 1), network(6, 2)]);
    const student = network(4, 3);
    expect(() => make(ensemble, student)).toThrow(
      new DistilgradError(
        "model",
        "trainer: the teacher's answers hold at temperature 1, expected 4; an Ensemble gives them with at(4)",
      ),
    );
    expect(() => make(ensemble.at(4), student, { temperature: 2 })).toThrow(
      "trainer: the teacher's answers hold at temperature 4, expected 2; an Ensemble gives them with at(2)",
    );
    expect(make(ensemble.at(4), student).trainStep(batch).soft).toBeGreaterThan(0);
    expect(make(ensemble, student, { temperature: 1 }).trainStep(batch).soft).toBeGreaterThan(0);
    const ofLogits = new Ensemble([network(6, 1)], { combine: "logits" });
    for (const temperature of [1, 4]) {
      expect(make(ofLogits, student, { temperature }).trainStep(batch).soft).toBeGreaterThan(0);
    }
  });

  it("made of terms as well: a term's temperature is the one at which answers must hold", () => {
    const ensemble = new Ensemble([network(6, 1), network(6, 2)]);
    const student = network(4, 3);
    const byTerms = (teacher: Teacher): number =>
      new DistillationTrainer({
        teacher,
        student,
        optimizer: sgd(student),
        terms: { soft: logitTerm(softTargetLoss, { options: { temperature: 4 } }) },
      }).trainStep(batch).soft;
    const expected = make(ensemble.at(4), network(4, 3), { alpha: 0 }).trainStep(batch).soft;
    expect(() => byTerms(ensemble)).toThrow("the teacher's answers hold at temperature 1, expected 4");
    expect(byTerms(ensemble.at(4))).toBe(expected);
  });

  it("and evaluate does, unless it is one for plain probabilities", () => {
    const ensemble = new Ensemble([network(6, 1), network(6, 2)]);
    expect(evaluate(ensemble, batch).loss).toBeGreaterThan(0);
    expect(() => evaluate(ensemble.at(4), batch)).toThrow(
      new DistilgradError(
        "model",
        "evaluate: the model's answers hold at temperature 4, expected 1; an Ensemble gives them with at(1)",
      ),
    );
  });
});

describe("at", () => {
  it("is the same ensemble for another temperature: it shares the members and keeps the settings", () => {
    const members = [network(6, 1), network(6, 2)];
    const temperatures = [1, 2];
    const ensemble = new Ensemble(members, { weights: [1, 3], temperatures });
    const other = ensemble.at(4);
    expect([ensemble.temperature, other.temperature, other.at(1).temperature]).toEqual([1, 4, 1]);
    expect(other.members.every((member, k) => member === members[k])).toBe(true);
    expect([other.weights, other.temperatures, other.combine]).toEqual([
      [0.25, 0.75],
      temperatures,
      "probabilities",
    ]);
    const made = new Ensemble(members, { weights: [1, 3], temperatures, temperature: 4 });
    expect(other.forward(batch.x).data).toEqual(made.forward(batch.x).data);
    expect(new Ensemble(members, { weights: "confidence" }).at(2).weights).toBe("confidence");
  });

  it("of a mean of logits is itself, as that holds at any", () => {
    const ensemble = new Ensemble([network(6, 1)], { combine: "logits" });
    expect(ensemble.temperature).toBeNull();
    expect(ensemble.at(4)).toBe(ensemble);
  });

  it("requires a temperature", () => {
    const ensemble = new Ensemble([network(6, 1)]);
    expect(() => ensemble.at(0)).toThrow(
      new DistilgradError("value", "Ensemble.at: temperature must be a finite number above 0, got 0"),
    );
  });
});

describe("an ensemble refuses", () => {
  const [a, b] = [network(4, 1), network(4, 2)];
  const make =
    (members: unknown, options: unknown = {}) =>
    () =>
      new Ensemble(members as Teacher[], options as EnsembleOptions);

  it.each<[string, () => unknown, string, string]>([
    ["no list", make(a), "model", "expected a list of at least one teacher, got a Sequential"],
    ["no members", make([]), "model", "expected a list of at least one teacher, got none"],
    [
      "what cannot be asked",
      make([a, 3]),
      "model",
      "member 1 must be a module, an object with a forward method, or a function from x to logits, got 3",
    ],
    [
      "the same member twice",
      make([a, b, a]),
      "model",
      "members 0 and 2 are the same teacher; give it more weight instead",
    ],
    [
      "an unknown option",
      make([a], { weight: [1] }),
      "value",
      'unknown option "weight"; possible are weights, combine, temperatures, temperature',
    ],
    [
      "another combination",
      make([a], { combine: "votes" }),
      "value",
      'combine must be "probabilities" or "logits", got "votes", a string',
    ],
    [
      "a temperature for logits",
      make([a], { combine: "logits", temperature: 4 }),
      "value",
      "a mean of logits holds at any temperature; leave temperature out, or combine probabilities",
    ],
    [
      "weights that are none",
      make([a], { weights: "equal" }),
      "value",
      'weights must be a list of numbers or "confidence", got "equal", a string',
    ],
    [
      "too few weights",
      make([a, b], { weights: [1] }),
      "value",
      "expected one weight for each of 2 members, got 1",
    ],
    [
      "a negative weight",
      make([a, b], { weights: [1, -1] }),
      "value",
      "a weight must be a finite number of at least 0, got -1",
    ],
    [
      "an infinite weight",
      make([a], { weights: [Number.POSITIVE_INFINITY] }),
      "value",
      "a weight must be a finite number of at least 0, got Infinity",
    ],
    [
      "no weight at all",
      make([a, b], { weights: [0, 0] }),
      "value",
      "the weights must have a finite sum above 0, got 0",
    ],
    [
      "temperatures that are none",
      make([a], { temperatures: 2 }),
      "value",
      "temperatures must be a list of numbers, got 2",
    ],
    [
      "too many temperatures",
      make([a], { temperatures: [1, 2] }),
      "value",
      "expected one temperature for each of 1 members, got 2",
    ],
    [
      "a temperature of 0 for a member",
      make([a], { temperatures: [0] }),
      "value",
      "temperature must be a finite number above 0, got 0",
    ],
    [
      "a temperature of 0",
      make([a], { temperature: 0 }),
      "value",
      "temperature must be a finite number above 0, got 0",
    ],
    [
      "a member for another temperature",
      make([a, new Ensemble([b])], { temperature: 4 }),
      "model",
      "member 1's answers hold at temperature 1, expected 4; an Ensemble gives them with at(4)",
    ],
  ])("%s", (_, call, code, message) => {
    expect(call).toThrow(new DistilgradError(code as "value", `Ensemble: ${message}`));
  });

  it("members that answer for other classes, or for other rows, naming both shapes", () => {
    const wide = new Linear(5, 4);
    expect(() => new Ensemble([a, b, wide]).forward(batch.x)).toThrow(
      new DistilgradError(
        "shape",
        "Ensemble: the logits of member 0 are [8, 3] and those of member 2 [8, 4]; all need the same rows and the same classes in the same order",
      ),
    );
    expect(() => new Ensemble([() => zeros([3]), a]).forward(batch.x)).toThrow(
      new DistilgradError(
        "shape",
        "Ensemble: expected the logits of member 0 [rows, classes] with at least one row, got [3]",
      ),
    );
  });

  it("members of two kernel sets", () => {
    expect(() => new Ensemble([a, saying([[0, 0, 0]])]).forward(batch.x)).toThrow(
      new DistilgradError(
        "kernels",
        "Ensemble: operands live in two kernel sets, float32 and float64; make both with the same",
      ),
    );
  });

  it("takes an ensemble that holds at the temperature at which it is softened", () => {
    const inner = new Ensemble([b], { temperature: 8 });
    const outer = new Ensemble([a, inner], { temperature: 4, temperatures: [1, 2] });
    expect(outer.forward(batch.x).shape).toEqual([8, 3]);
    expect(() => outer.at(2)).toThrow("at temperature 8, expected 4");
  });

  it("in a mean of logits any member that holds at one temperature only", () => {
    expect(() => new Ensemble([new Ensemble([a]), b], { combine: "logits" })).toThrow(
      new DistilgradError(
        "model",
        "Ensemble: member 0's answers hold at temperature 1 only, and a mean of logits at any; hand in its members instead",
      ),
    );
  });
});
