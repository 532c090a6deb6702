/**
 * Numbers that PyTorch 1.13 computed once, gzipped JSON beside this file. Float32 numbers have as many digits as it
 * takes to read them back exactly, float64 numbers of the ops 12.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** One op on one set of inputs. `out` and `grads` are float32, `out64` and `grads64` float64 of the same inputs. */
export interface OpCase {
  readonly op: string;
  readonly tag: string;
  readonly attrs: {
    readonly T?: number;
    readonly alpha?: number;
    readonly dim?: number;
    readonly eps?: number;
    readonly kernel?: number;
    readonly stride?: number;
    readonly padding?: number;
  };
  readonly inputs: Readonly<Record<string, { readonly shape: number[]; readonly data: number[] }>>;
  readonly int_inputs: Readonly<Record<string, { readonly shape: number[]; readonly data: number[] }>>;
  /** ∂L/∂out: the gradients are those of Σ out ⊙ upstream. */
  readonly upstream: number[];
  readonly out: number[];
  readonly out_shape: number[];
  readonly grads: Readonly<Record<string, number[]>>;
  readonly out64: number[];
  readonly grads64: Readonly<Record<string, number[]>>;
}

/** Ten steps of one parameter, in float32. */
export interface OptimizerCase {
  readonly optimizer: string;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly p0: number[];
  readonly grads: number[][];
  readonly after_each_step: number[][];
}

/** Twenty steps of a workload. Parameters are `layers.0.weight`, `layers.0.bias`, … */
export interface WorkloadCase {
  readonly losses: Readonly<Record<string, number[]>>;
  readonly losses_float64: Readonly<Record<string, number[]>>;
  readonly grad_after_first_backward: Readonly<Record<string, number[]>>;
  readonly init_stats: Readonly<Record<string, InitStats>>;
  readonly init?: Readonly<Record<string, number[]>>;
  readonly teacher_init?: Readonly<Record<string, number[]>>;
  readonly inputs?: readonly { readonly x: number[]; readonly y: number[] }[];
}

/** Of a float32 tensor, summed in float64. */
export interface InitStats {
  readonly shape: number[];
  readonly sum: number;
  readonly l2: number;
  readonly absmax: number;
  readonly first: number[];
}

export interface Golden {
  readonly ops: { readonly cases: readonly OpCase[] };
  readonly optimizers: readonly OptimizerCase[];
  readonly W1: WorkloadCase;
  readonly W5: WorkloadCase;
}

export function golden<Name extends keyof Golden>(name: Name): Golden[Name] {
  const packed = readFileSync(new URL(`${name}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(packed).toString("utf8"));
}
