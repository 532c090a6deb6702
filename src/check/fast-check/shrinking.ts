import fc from "fast-check";

/** Draws what `drawn` draws, and shrinks in a way of its own. */
export class Shrinking<T> extends fc.Arbitrary<T> {
  readonly #drawn: fc.Arbitrary<T>;
  readonly #simpler: (value: T) => Iterable<T>;
  readonly #possible: (value: unknown) => boolean;

  /**
   * @param simpler values that are simpler than a value in an order without infinite descent, the simplest first
   * @param possible whether a value may have been drawn. Default: not known, so examples of a user's do not shrink
   */
  constructor(
    drawn: fc.Arbitrary<T>,
    simpler: (value: T) => Iterable<T>,
    possible: (value: unknown) => boolean = () => false,
  ) {
    super();
    this.#drawn = drawn;
    this.#simpler = simpler;
    this.#possible = possible;
  }

  generate(random: fc.Random, bias: number | undefined): fc.Value<T> {
    return new fc.Value(this.#drawn.generate(random, bias).value, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is T {
    return this.#possible(value);
  }

  shrink(value: T): fc.Stream<fc.Value<T>> {
    return fc.stream(wrapped(this.#simpler(value)));
  }
}

function* wrapped<T>(values: Iterable<T>): IterableIterator<fc.Value<T>> {
  for (const value of values) yield new fc.Value(value, undefined);
}
