import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Batches } from "../src/data/batches.ts";
import { fit, KnowledgeDistillationTrainer } from "../src/distill/index.ts";
import { tensor } from "../src/factories.ts";
import { Dropout, Linear, Module, ReLU, Sequential } from "../src/nn/index.ts";
import { Adam } from "../src/optim/adam.ts";
import { RandomStream } from "../src/random.ts";
import type { Tensor } from "../src/tensor.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that live on after a collection, typed arrays included. */
function bytesInUse(): number {
  // What the first collection frees may hold more through weak references; the second sees that.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Gives the collector a turn: weak references are only cleared between tasks. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Hands its input on and remembers it weakly: a tensor in the middle of the student's graph. */
class Witness extends Module {
  readonly seen: WeakRef<Tensor>[] = [];
  readonly nodes: WeakRef<object>[] = [];
  forward(x: Tensor): Tensor {
    if (x.requiresGrad && this.seen.length < 1000) {
      this.seen.push(new WeakRef(x));
      this.nodes.push(new WeakRef(x.node!));
    }
    return x;
  }
}

function setup() {
  const random = new RandomStream(1, "init");
  const witness = new Witness();
  const student = new Sequential({
    hidden: new Linear(16, 32, { random }),
    relu: new ReLU(),
    dropout: new Dropout(0.1, { random: new RandomStream(1, "dropout") }),
    witness,
    logits: new Linear(32, 10, { random }),
  });
  const teacher = new Sequential({
    hidden: new Linear(16, 64, { random }),
    relu: new ReLU(),
    logits: new Linear(64, 10, { random }),
  });
  const trainer = new KnowledgeDistillationTrainer({
    student,
    teacher,
    optimizer: new Adam(student.parameters()),
  });
  const rows = 64;
  const data = {
    x: tensor(
      Float32Array.from({ length: rows * 16 }, () => random.normal()),
      { shape: [rows, 16] },
    ),
    labels: Int32Array.from({ length: rows }, () => random.below(10)),
  };
  const batches = new Batches(data, { size: 16, random: new RandomStream(1, "shuffle") });
  return { trainer, batches, witness };
}

describe("5,000 training steps", () => {
  it("leave no graph behind and a flat heap", async () => {
    const { trainer, batches, witness } = setup();
    let after1000 = 0;
    for (const { step } of fit(trainer, batches, { steps: 5000 })) {
      if (step % 500 === 499) await breathe();
      if (step === 999) after1000 = bytesInUse();
    }
    await breathe();
    const growth = bytesInUse() - after1000;

    expect(trainer.steps).toBe(5000);
    expect(witness.seen).toHaveLength(1000);
    expect(witness.seen.filter((seen) => seen.deref() !== undefined)).toHaveLength(0);
    expect(witness.nodes.filter((node) => node.deref() !== undefined)).toHaveLength(0);
    // One activation [16, 32] of each of the 4,000 steps between would be 8 MB; this is 75 bytes a step, and what the
    // compiler needs by the way is a quarter of it.
    expect(growth).toBeLessThan(300_000);
  });

  it("are seen by this test if they leave something: a list of logits shows", async () => {
    const { trainer, batches, witness } = setup();
    const kept: Tensor[] = [];
    for (let step = 0; step < 50; step++) {
      trainer.trainStep(batches.next());
      kept.push(witness.seen[step].deref()!);
    }
    await breathe();
    collect();
    expect(witness.seen.filter((seen) => seen.deref() !== undefined)).toHaveLength(50);
    expect(kept).toHaveLength(50);
  });
});
