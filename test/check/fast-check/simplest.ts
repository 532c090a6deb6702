import fc from "fast-check";

/** What a failing property ends at, having started anywhere. */
export function simplest<T>(drawn: fc.Arbitrary<T>, fails: (value: T) => boolean, seed = 1): T {
  const found = fc.check(
    fc.property(drawn, (value) => !fails(value)),
    { seed, numRuns: 1000 },
  );
  if (found.counterexample === null) throw new Error("no value failed");
  return found.counterexample[0];
}
