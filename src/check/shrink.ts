/** Annex: the smallest inputs that still fail. Knows which shapes and values are simpler, not why anything fails. */
import { float64 } from "../kernels/float64.ts";
import type { Floats } from "../kernels/kernels.ts";
import { type Shape, sizeOf, stridesOf } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import type { Place } from "./failure.ts";

export interface Candidate {
  readonly inputs: readonly Tensor[];
  /** The entry that failed, which a smaller case keeps. */
  readonly place: Place | null;
}

/**
 * Cases that fail, each smaller or simpler than the one before it: first with shorter axes, then with rounded values.
 * All axes of one length are shortened together, as they are likely to have to match; then each alone.
 *
 * @param fixed how many inputs, from the first, keep their shape
 * @param fails the same inputs as a failing candidate, with the place where they fail; null where they do not run or
 *   do not fail the same way
 */
export function* smaller(
  start: Candidate,
  fixed: number,
  fails: (inputs: readonly Tensor[]) => Candidate | null,
): Generator<Candidate, void> {
  let smallest = start;
  for (const simpler of [shortened, simplified]) {
    let found: Candidate | null;
    do {
      found = null;
      for (const inputs of simpler(smallest, fixed)) {
        found = fails(inputs);
        if (found === null) continue;
        yield (smallest = found);
        break;
      }
    } while (found !== null);
  }
}

/** The same inputs cut to fewer entries along axes of one length, then along single axes. */
function* shortened({ inputs, place }: Candidate, fixed: number): Generator<Tensor[], void> {
  const axes = inputs.flatMap(({ shape }, i) =>
    i < fixed ? [] : shape.map((length, axis) => ({ i, axis, length })),
  );
  const lengths = [...new Set(axes.map(({ length }) => length))].filter((length) => length > 1);
  const together = lengths.map((length) => axes.filter((each) => each.length === length));
  const single = axes.filter(({ length }) => length > 1).map((each) => [each]);
  for (const group of axes.length > 1 ? [...together, ...single] : together) {
    const [{ length }] = group;
    const kept = group.find(({ i }) => i === place?.input);
    const middle = kept === undefined ? 0 : coordinate(inputs[kept.i].shape, kept.axis, place!.index);
    for (const target of new Set([1, Math.ceil(length / 2), length - 1])) {
      const centred = Math.max(0, Math.min(middle - Math.floor(target / 2), length - target));
      for (const from of kept === undefined ? [0, length - target] : [centred]) {
        yield inputs.map((input, i) =>
          group
            .filter((each) => each.i === i)
            .reduce((cut, { axis }) => between(cut, axis, from, from + target), input),
        );
      }
    }
  }
}

/** The same inputs with values of one digit, then of two, in all of them, then in each. Nothing becomes 0. */
function* simplified({ inputs }: Candidate): Generator<Tensor[], void> {
  for (const digits of [1, 2]) {
    const rounded = inputs.map(({ data, shape }) => {
      const values = Float64Array.from(data, (value) => Number(value.toPrecision(digits)));
      return new Tensor(values, shape, float64);
    });
    const changed = rounded.map(({ data }, i) => !same(data, inputs[i].data));
    if (changed.includes(true)) yield rounded;
    if (inputs.length < 2) continue;
    for (const i of inputs.keys()) {
      if (changed[i]) yield inputs.map((input, other) => (other === i ? rounded[i] : input));
    }
  }
}

const same = (a: Floats, b: Floats): boolean => a.every((value, i) => value === b[i]);

const coordinate = (shape: Shape, axis: number, index: number): number =>
  Math.floor(index / stridesOf(shape)[axis]) % shape[axis];

/** The entries of a tensor from `from` to below `to` along an axis. */
function between({ data, shape }: Tensor, axis: number, from: number, to: number): Tensor {
  const inner = sizeOf(shape.slice(axis + 1));
  const [whole, part] = [shape[axis] * inner, (to - from) * inner];
  const cut = new Float64Array((data.length / whole) * part);
  for (let outer = 0; outer * part < cut.length; outer++) {
    cut.set(data.subarray(outer * whole + from * inner, outer * whole + to * inner), outer * part);
  }
  return new Tensor(cut, [...shape.slice(0, axis), to - from, ...shape.slice(axis + 1)], float64);
}
