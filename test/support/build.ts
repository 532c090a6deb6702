/** Set-up of the tests that start the built program: builds it once for all of them, as a build overwrites its files. */
import { build } from "rolldown";
import config from "../../rolldown.config.js";

export async function setup(): Promise<void> {
  await build(config);
}
