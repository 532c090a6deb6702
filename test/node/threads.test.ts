/** Threads, as a program uses them: of the built package, in processes of their own. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a program prints, as data. `parts` counts the parts that other threads have taken, and those taken back. */
function run(program: string): unknown {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      "--eval",
      `(async () => {
      const { createHash } = await import("node:crypto");
      const { Adam, float32, KnowledgeDistillationTrainer, Linear, plainFloat32, randn, RandomStream, ReLU, Sequential } =
        await import("distilgrad");
      const { useThreads } = await import("distilgrad/node");
      const exchange = Atomics.compareExchange;
      const parts = { taken: 0, back: 0 };
      Atomics.compareExchange = (array, at, expected, next) => {
        const found = exchange(array, at, expected, next);
        parts[found === expected ? "back" : "taken"]++;
        return found;
      };
      const say = (value) => console.log(JSON.stringify(value));
      const messageOf = (call) => {
        try {
          call();
          return "nothing was thrown";
        } catch (error) {
          return error.name + " " + error.code + " " + error.message;
        }
      };
      /** Until the threads have started. */
      const settled = () => new Promise((resolve) => setTimeout(resolve, 300));
      /** The hash of the weights that a few steps of distillation give, in products large enough to be split. */
      const distilled = () => {
        const random = new RandomStream(1);
        const network = (width) =>
          new Sequential({
            hidden: new Linear(300, width, { random }),
            relu: new ReLU(),
            logits: new Linear(width, 10, { random }),
          });
        const [teacher, student] = [network(257), network(130)];
        const optimizer = new Adam(student.parameters(), { learningRate: 1e-2 });
        const trainer = new KnowledgeDistillationTrainer({ student, teacher, optimizer });
        for (let step = 0; step < 20; step++) {
          const x = randn([61, 300], { random });
          trainer.trainStep({ x, labels: Int32Array.from({ length: 61 }, (_, i) => i % 10) });
        }
        const hash = createHash("sha256");
        for (const { data } of student.parameters().values()) hash.update(new Uint8Array(data.buffer));
        return hash.digest("hex");
      };
      ${program}
      })()`,
    ],
    { cwd: root, encoding: "utf8", timeout: 60_000 },
  );
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return JSON.parse(stdout);
}

describe("useThreads", () => {
  it("gives the bits of one thread for any number of threads, which do take parts", () => {
    const one = run("say({ hash: distilled(), name: float32.name, parts })");
    expect(one).toEqual({ hash: expect.any(String), name: "float32 SIMD", parts: { taken: 0, back: 0 } });
    for (const count of [2, 3]) {
      const several = run(`
        const threads = useThreads({ count: ${count} });
        await settled();
        say({ hash: distilled(), name: float32.name, parts, count: threads.count });
      `) as { parts: { taken: number } };
      expect(several).toMatchObject({
        ...(one as object),
        name: `float32 SIMD, ${count} threads`,
        count,
        parts: {},
      });
      expect(several.parts.taken).toBeGreaterThan(0);
    }
  });

  it("has the bits of the plain loops, whether rows or columns are split, and leaves small products alone", () => {
    const differing = run(`
      useThreads({ count: 3 });
      await settled();
      const random = new RandomStream(2);
      const values = (size) => Float32Array.from({ length: size }, () => random.normal());
      const differing = [];
      for (const [m, k, n] of [[95, 157, 93], [7, 500, 300], [300, 500, 7], [1, 1500, 700], [900, 1200, 1], [28, 100, 1201]]) {
        for (const kind of ["matmul", "matmulTransposedA", "matmulTransposedB"]) {
          const [a, b, c] = [values(m * k), values(k * n), values(m * n)];
          const plain = c.slice();
          plainFloat32[kind](plain, a, b, m, k, n);
          float32[kind](c, a, b, m, k, n);
          if (Buffer.compare(Buffer.from(plain.buffer), Buffer.from(c.buffer)) !== 0) differing.push([kind, m, k, n]);
        }
      }
      const before = parts.taken + parts.back;
      float32.matmul(values(64 * 64), values(64 * 64), values(64 * 64), 64, 64, 64);
      say({ differing, before: before > 20, small: parts.taken + parts.back - before });
    `);
    expect(differing).toEqual({ differing: [], before: true, small: 0 });
  });

  it("does alone what no thread has taken: before they have started, and when they are stopped", () => {
    const told = run(`
      const threads = useThreads({ count: 2 });
      const early = distilled();
      await settled();
      await threads.stop();
      parts.taken = parts.back = 0;
      say({ early, late: distilled(), name: float32.name, taken: parts.taken, back: parts.back > 0 });
    `) as { early: string; late: string };
    expect(told).toMatchObject({ name: "float32 SIMD", taken: 0, back: true });
    expect(told.late).toBe(told.early);
    expect(told.early).toBe(run("say(distilled())"));
  });

  it("serves again once stopped, with one thread means no other, and by default has one for each core", () => {
    expect(
      run(`
        const { availableParallelism } = await import("node:os");
        const names = [];
        for (const count of [1, 2]) {
          const threads = useThreads({ count });
          names.push(float32.name);
          await threads.stop();
        }
        const { count } = useThreads();
        say({ names, all: count === Math.min(8, availableParallelism()) });
      `),
    ).toEqual({ names: ["float32 SIMD", "float32 SIMD, 2 threads"], all: true });
  });

  it("computes with weights from before it was called, too", () => {
    expect(
      run(`
        const random = new RandomStream(3);
        const layer = new Linear(400, 300, { random });
        const x = randn([50, 400], { random });
        const before = layer.forward(x).data.slice();
        useThreads({ count: 2 });
        const after = layer.forward(x).data;
        say(Buffer.compare(Buffer.from(before.buffer), Buffer.from(after.slice().buffer)));
      `),
    ).toBe(0);
  });

  it("does without a thread that cannot start, and says so", () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        // Which a worker takes for a flag of its own.
        "--input-type=module",
        "--eval",
        `import { useThreads } from "distilgrad/node";
         import { matmul, ones } from "distilgrad";
         useThreads({ count: 2 });
         setTimeout(() => console.log(matmul(ones([100, 100]), ones([100, 100])).data[9999]), 300);`,
      ],
      { cwd: root, encoding: "utf8", timeout: 60_000 },
    );
    expect(stdout).toBe("100\n");
    expect(stderr).toMatch(
      /Warning: useThreads: a thread has ended: --input-type .*; the others do its work\n/,
    );
  });

  it("says what is wrong", () => {
    expect(
      run(`
        const messages = [{ threads: 2 }, { count: 0 }, { count: 1.5 }].map((options) => messageOf(() => useThreads(options)));
        useThreads({ count: 2 });
        messages.push(messageOf(() => useThreads({ count: 3 })));
        say(messages);
      `),
    ).toEqual([
      'DistilgradError value useThreads: unknown option "threads"; possible are count',
      "DistilgradError value useThreads: count must be a whole number of at least 1, got 0",
      "DistilgradError value useThreads: count must be a whole number of at least 1, got 1.5",
      "DistilgradError kernels useThreads: threads serve already; stop them first",
    ]);
    expect(
      run("delete globalThis.WebAssembly; say(messageOf(() => useThreads()) + ' ' + float32.name)"),
    ).toBe("DistilgradError kernels useThreads: this engine has no SIMD kernels for threads to run float32");
  });
});
