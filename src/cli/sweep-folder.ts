/**
 * Floor 6: the results of a sweep as files of one folder, each there whole or not at all. A file's name ends with the hash
 * of everything that its content depends on, so a sweep finds its own files, whoever wrote them, and no others.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DistilgradError } from "../errors.ts";
import { encodeUtf8 } from "../io/utf8.ts";
import { writeFileAtomically } from "../node/atomic-write.ts";
import { sha256 } from "../sha256.ts";
import { makeUsableFolder } from "./make-folder.ts";
import { printable } from "./printable.ts";
import { layerWidths } from "./recipe.ts";
import { tableHash } from "./run-hashes.ts";
import type { SweepRun } from "./sweep-grid.ts";
import type { Score, Sweep } from "./sweep-run.ts";
import { readTeacher } from "./sweep-teacher.ts";
import { version } from "./version.ts";

/** Digits of the hash in a file's name; the file holds all. */
const SHOWN = 16;

const isOfSweeps = /^seed-\d{3}-(?:\d{4}|teacher)-[0-9a-f]{16}\.(?:json|safetensors)$/;

/** What is known of a sweep, and where it is kept: in a folder, or without one for as long as the program runs. */
export class SweepFolder {
  /** Null: there is none. */
  readonly path: string | null;
  readonly #layers: readonly number[];
  readonly #common: string;
  readonly #scores = new Map<string, Score>();
  readonly #teachers = new Map<string, Uint8Array>();
  /** Names of files by the hashes in them. */
  readonly #names = new Map<string, string>();
  readonly #asked = new Set<string>();
  readonly #unusable = new Set<string>();
  readonly #complain: (sentence: string) => void;

  /**
   * @param path made if there is none; empty: nothing is kept
   * @param complain told which files cannot be used
   * @throws UsageError when the folder can be neither made nor read
   */
  constructor(path: string, { table, recipe, validation }: Sweep, complain: (sentence: string) => void) {
    this.path = path === "" ? null : path;
    this.#layers = layerWidths(table, recipe.teacher.hidden);
    this.#common = JSON.stringify([version(), tableHash(table), recipe, validation]);
    this.#complain = complain;
    this.look();
  }

  /** Looks again for what others have written. */
  look(): void {
    if (this.path === null) return;
    this.#unusable.clear();
    makeUsableFolder("--out", this.path);
    for (const name of readdirSync(this.path).sort()) {
      if (isOfSweeps.test(name)) this.#names.set(name.split(/[-.]/)[3], name);
    }
  }

  /** How many files of sweeps there are of which nobody has asked for the content. */
  get foreign(): number {
    return [...this.#names.keys()].filter((hash) => !this.#asked.has(hash)).length;
  }

  /** What a run came to, or null when it is not known. */
  score(run: SweepRun): Score | null {
    const hash = this.#hashOf(run);
    const known = this.#scores.get(hash) ?? this.#read(hash, (bytes) => scoreIn(bytes, hash));
    if (known !== null) this.#scores.set(hash, known);
    return known;
  }

  /** Keeps what a run came to. @param place of its setting in the grid, for the file's name */
  keep(run: SweepRun, place: number, score: Score): void {
    const hash = this.#hashOf(run);
    this.#scores.set(hash, score);
    const text = JSON.stringify({ hash, ...run, ...score }, null, 2);
    this.#write(
      `${seedOf(run.seed)}-${String(place).padStart(4, "0")}`,
      hash,
      "json",
      encodeUtf8("sweep", `${text}\n`),
    );
  }

  /** The teacher of a seed as `readTeacher` takes it, or null when there is none. */
  teacher(seed: number): Uint8Array | null {
    const hash = this.#hashOf({ seed, teacher: true });
    const known =
      this.#teachers.get(hash) ??
      this.#read(hash, (bytes) => {
        readTeacher(bytes, this.#layers);
        return bytes;
      });
    if (known !== null) this.#teachers.set(hash, known);
    return known;
  }

  keepTeacher(seed: number, bytes: Uint8Array): void {
    const hash = this.#hashOf({ seed, teacher: true });
    this.#teachers.set(hash, bytes);
    this.#write(`${seedOf(seed)}-teacher`, hash, "safetensors", bytes);
  }

  #hashOf(what: SweepRun | { readonly seed: number; readonly teacher: true }): string {
    const hash = sha256(encodeUtf8("sweep", `${this.#common}${JSON.stringify(what)}`));
    this.#asked.add(hash.slice(0, SHOWN));
    return hash;
  }

  #read<T>(hash: string, take: (bytes: Uint8Array) => T): T | null {
    const name = this.#names.get(hash.slice(0, SHOWN));
    if (this.path === null || name === undefined || this.#unusable.has(name)) return null;
    const path = join(this.path, name);
    try {
      return take(readFileSync(path));
    } catch (error) {
      if (!(error instanceof DistilgradError || error instanceof SyntaxError)) throw error;
      this.#unusable.add(name);
      this.#complain(`${printable(path)} is not what this program wrote; what was in it is made again`);
      return null;
    }
  }

  #write(start: string, hash: string, ending: string, bytes: Uint8Array): void {
    if (this.path === null) return;
    const short = hash.slice(0, SHOWN);
    const name = this.#names.get(short) ?? `${start}-${short}.${ending}`;
    writeFileAtomically(join(this.path, name), bytes);
    this.#names.set(short, name);
  }
}

const seedOf = (seed: number): string => `seed-${String(seed).padStart(3, "0")}`;

/** The score in a file. @throws DistilgradError or SyntaxError on anything else */
function scoreIn(bytes: Uint8Array, hash: string): Score {
  const file = JSON.parse(new TextDecoder().decode(bytes)) as Partial<
    Record<"hash" | keyof Score, unknown>
  > | null;
  const { accuracy, loss, divergence } = file ?? {};
  if (file?.hash !== hash || !isShare(accuracy) || !isAmount(loss) || !isAmount(divergence)) {
    throw new DistilgradError("data", "expected the score of a run");
  }
  return { accuracy, loss, divergence };
}

const isAmount = (value: unknown): value is number => typeof value === "number";

const isShare = (value: unknown): value is number => isAmount(value) && value >= 0 && value <= 1;
