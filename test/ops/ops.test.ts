/** Everything that the table says of the ops, as the published checks find it. */
import { expect, test } from "vitest";
import { opChecks } from "../../src/check/fast-check/index.ts";
import { DistilgradError } from "../../src/errors.ts";
import { specs } from "./specs.ts";

const numRuns = process.env.DISTILGRAD_DEEP === undefined ? 60 : 2000;

for (const [name, spec] of Object.entries(specs)) {
  for (const check of opChecks(name, spec)) test(check.name, () => check.run({ numRuns }));

  test(`${name} refuses with errors that have a code`, () => {
    expect(spec.errors?.length).toBeGreaterThan(0);
    for (const [call] of spec.errors ?? []) expect(call).toThrow(DistilgradError);
  });
}
