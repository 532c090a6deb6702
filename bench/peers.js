// @ts-check
/**
 * `npm run bench:peers`: the same work in other engines, one thread each. Every engine has a process of its own for each
 * task, warmed up before it is measured; in each round this package and a peer take turns, and a ratio compares two
 * neighbours in time.
 * `-- --only W1,W2` chooses tasks, `--peers jax-js,numpy` engines, `--python PATH` an interpreter; `--rounds`, `--json`.
 */
import { cpus } from "node:os";
import { Engine, oneThread } from "./engines/client.js";
import { distilgrad, findPeers, peerNames } from "./install-peers.js";
import { median } from "./limits.js";
import { readOptions, runProgram, UsageError } from "./options.js";
import { timeToFirstStep } from "./start-up.js";
import { short, table, time } from "./table.js";
import { workloadNames, workloads } from "./workloads.js";

/** @typedef {import("./engines/client.js").Start} Start */
/** @typedef {{ peer: string, ms?: number, ratio?: number, says?: string }} Comparison */
/** @typedef {{ task: string, ms: number, peers: Comparison[] }} Line */

/** @type {Record<string, string>} */
const tasks = {
  ...Object.fromEntries(workloadNames.map((name) => [name, `${name}: ${workloads[name].says}`])),
  "sgemm 256": "A·B 256",
  "sgemm 1024": "A·B 1024",
  "one sample": "one sample through 784-64-10",
  relu: "relu 1 M",
  add: "add 1 M",
  sum: "sum 1 M",
  softmax: "softmax 128×1000",
  adam: "Adam, 1 M parameters",
  "start-up": "process start to the first W1 step",
};

/** Milliseconds before an engine is measured, and in each of its turns. */
const [warmupTime, turnTime] = [600, 200];
/** How far two engines' losses may lie apart, of the loss or of 1: float32 sums in other orders stay a hundredfold below. */
const tolerance = 1e-3;

await runProgram(async () => {
  const { chosen, rounds, given } = readOptions(process.argv.slice(2), {
    names: Object.keys(tasks),
    rounds: 5,
    flags: ["json"],
    values: ["peers", "python"],
  });
  const wanted = typeof given.peers === "string" ? given.peers.split(",") : peerNames;
  for (const name of wanted) {
    if (!peerNames.includes(name)) {
      throw new UsageError(
        `--peers: expected ${peerNames.join(", ")} or several of them with commas, got "${name}"`,
      );
    }
  }
  const python = typeof given.python === "string" ? given.python : undefined;
  const { peers, missing } = findPeers(wanted, python);
  const versions = [];
  for (const start of [distilgrad, ...peers]) {
    const engine = await Engine.start(start);
    versions.push(`${engine.name} ${engine.version}`);
    engine.stop();
  }

  /** @type {Line[]} */
  const lines = [];
  for (const task of chosen) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${task}`);
    lines.push(task === "start-up" ? compareStartUps(peers, rounds) : await compare(task, peers, rounds));
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

  const cpu = cpus()[0]?.model.trim() ?? "unknown";
  if (given.json)
    console.log(JSON.stringify({ node: process.version, cpu, versions, missing, rounds, lines }, null, 2));
  else
    print(
      `Node ${process.version}, ${cpu}, one thread, ${rounds} rounds\n${versions.join(", ")}`,
      lines,
      missing,
    );
});

/**
 * One task: who can do it and agrees with us, then turn by turn. Processes are fresh for each task, so that none is
 * compiled for what another needed.
 *
 * @param {string} task @param {Start[]} peers @param {number} rounds
 * @returns {Promise<Line>}
 */
async function compare(task, peers, rounds) {
  const own = await Engine.start(distilgrad);
  const { values = [], cannot } = await own.ask({ task });
  if (cannot !== undefined) throw new Error(`distilgrad: ${task}: ${cannot}`);
  await own.ask({ task, ms: warmupTime });
  /** @type {Comparison[]} */
  const comparisons = [];
  /** @type {number[]} */
  const ownTimes = [];
  for (const peer of peers) {
    const engine = await Engine.start(peer);
    const theirs = await engine.ask({ task });
    if (theirs.cannot !== undefined) {
      comparisons.push({ peer: engine.name, says: `cannot: ${theirs.cannot}` });
      engine.stop();
      continue;
    }
    const says = disagreement(values, theirs.values ?? []);
    await engine.ask({ task, ms: warmupTime });
    const turns = [];
    for (let round = 0; round < rounds; round++) {
      const ours = (await own.ask({ task, ms: turnTime })).ms ?? Number.NaN;
      const { ms = Number.NaN } = await engine.ask({ task, ms: turnTime });
      turns.push({ ms, ratio: ours / ms });
      ownTimes.push(ours);
    }
    engine.stop();
    comparisons.push({
      peer: engine.name,
      ms: median(turns.map(({ ms }) => ms)),
      ratio: median(turns.map(({ ratio }) => ratio)),
      ...(says === undefined ? {} : { says }),
    });
  }
  if (ownTimes.length === 0) ownTimes.push((await own.ask({ task, ms: turnTime })).ms ?? Number.NaN);
  own.stop();
  return { task, ms: median(ownTimes), peers: comparisons };
}

/** What is wrong with a peer's first losses, if anything. @param {(number | null)[]} ours @param {(number | null)[]} theirs */
function disagreement(ours, theirs) {
  for (const [i, loss] of ours.entries()) {
    const other = theirs[i];
    if (loss === null || other === null) continue;
    if (Math.abs(loss - other) <= tolerance * Math.max(1, Math.abs(loss))) continue;
    return `disagrees: step ${i + 1} has loss ${other}, ours ${loss}`;
  }
  return undefined;
}

/** Fresh processes, in turn. @param {Start[]} peers @param {number} rounds @returns {Line} */
function compareStartUps(peers, rounds) {
  const start = (/** @type {Start} */ { command, args }) =>
    timeToFirstStep(command, [...args, "--first-step"], oneThread);
  /** @type {number[]} */
  const ownTimes = [];
  const comparisons = peers.map((peer) => {
    try {
      const turns = Array.from({ length: rounds }, () => {
        const ours = start(distilgrad);
        const ms = start(peer);
        ownTimes.push(ours);
        return { ms, ratio: ours / ms };
      });
      return {
        peer: peer.name,
        ms: median(turns.map(({ ms }) => ms)),
        ratio: median(turns.map(({ ratio }) => ratio)),
      };
    } catch (error) {
      const [, reason] = /^\w*Error: (.*)$/m.exec(/** @type {Error} */ (error).message) ?? [
        "",
        String(error),
      ];
      return { peer: peer.name, says: `cannot: ${reason}` };
    }
  });
  return {
    task: "start-up",
    ms: ownTimes.length > 0 ? median(ownTimes) : start(distilgrad),
    peers: comparisons,
  };
}

/** @param {string} heading @param {Line[]} lines @param {string[]} missing */
function print(heading, lines, missing) {
  const names = lines[0].peers.map(({ peer }) => peer);
  /** @type {Map<string, string[]>} what is said of a peer, and of which tasks */
  const notes = new Map();
  const cells = (/** @type {string} */ task, /** @type {Comparison} */ { peer, ms, ratio, says }) => {
    if (says !== undefined) notes.set(`${peer} ${says}`, [...(notes.get(`${peer} ${says}`) ?? []), task]);
    if (ms === undefined || ratio === undefined) return ["cannot", ""];
    return [time(ms), says === undefined ? `${short(ratio)} ×` : "disagrees"];
  };
  console.log(heading);
  console.log("×: our time divided by theirs; below 1, distilgrad is faster\n");
  console.log(
    table([
      ["", "distilgrad", ...names.flatMap((name) => [name, "×"])],
      null,
      ...lines.map(({ task, ms, peers }) => [
        tasks[task],
        time(ms),
        ...peers.flatMap((peer) => cells(task, peer)),
      ]),
    ]),
  );
  const remarks = [...[...notes].map(([says, of]) => `${of.join(", ")}: ${says}`), ...missing];
  if (remarks.length > 0) console.log(`\n${remarks.join("\n")}`);
}
