/** The ordinary tests on a source with one fault in it, whose name is in DISTILGRAD_FAULT; without one, on the source as it is. */
import { fileURLToPath } from "node:url";
import { mergeConfig } from "vitest/config";
import ordinary from "../../vitest.config.ts";
import { inject } from "./fault.ts";
import { faults } from "./faults.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const wanted = process.env.DISTILGRAD_FAULT;
const fault = faults.find(({ name }) => name === wanted);
if (wanted !== undefined && fault === undefined) throw new Error(`there is no fault "${wanted}"`);

export default mergeConfig(ordinary, {
  root,
  plugins: [
    {
      name: "seeded-fault",
      enforce: "pre",
      transform: (source: string, id: string) =>
        fault && id === root + fault.file ? inject(source, fault) : null,
    },
  ],
});
