/**
 * The ordinary tests on a source with one fault in it, whose name is in DISTILGRAD_FAULT; without one, on the source as
 * it is. It is asked for whenever a module is read, so that one process can go from fault to fault.
 */
import { fileURLToPath } from "node:url";
import { mergeConfig } from "vitest/config";
import ordinary from "../../vitest.config.ts";
import { inject } from "./fault.ts";
import { faults } from "./faults.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

function seeded(source: string, id: string): string | null {
  const fault = faults.find(({ name }) => name === process.env.DISTILGRAD_FAULT);
  return fault !== undefined && id === root + fault.file ? inject(source, fault) : null;
}

export default mergeConfig(ordinary, {
  root,
  plugins: [{ name: "seeded-fault", enforce: "pre", transform: seeded }],
});
