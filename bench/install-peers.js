// @ts-check
/** Which peers there are on this machine, after those from npm have been installed into a folder of their own. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("./engines/client.js").Start} Start */

const folder = fileURLToPath(new URL("peers", import.meta.url));
const processFile = fileURLToPath(new URL("engines/process.js", import.meta.url));

/** An engine in JavaScript. @param {string} name @param {string} file @returns {Start} */
const inJavaScript = (name, file) => ({ name, command: process.execPath, args: [processFile, file] });

export const distilgrad = inJavaScript("distilgrad", "./distilgrad.js");

const fromNpm = [
  { start: inJavaScript("jax-js", "../peers/jax.js"), needs: ["@jax-js/jax"] },
  {
    start: inJavaScript("tfjs", "../peers/tfjs.js"),
    needs: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
  },
  { start: inJavaScript("onnxruntime", "../peers/onnxruntime.js"), needs: ["onnxruntime-node"] },
];
const inPython = [
  { name: "PyTorch", module: "torch", file: "with_torch.py" },
  { name: "numpy", module: "numpy", file: "with_numpy.py" },
];

export const peerNames = [...fromNpm.map(({ start }) => start.name), ...inPython.map(({ name }) => name)];

/**
 * The peers that can be run, and why others can't.
 *
 * @param {readonly string[]} names of those that are wanted
 * @param {string} [python] an interpreter; otherwise the first `python3` that has the module
 * @returns {{ peers: Start[], missing: string[] }}
 */
export function findPeers(names, python) {
  /** @type {Start[]} */
  const peers = [];
  /** @type {string[]} */
  const missing = [];
  for (const { start, needs } of fromNpm) {
    if (!names.includes(start.name)) continue;
    if (needs.every(isInstalled) || (install() && needs.every(isInstalled))) peers.push(start);
    else missing.push(`${start.name} is left out: npm could not install ${needs.join(" and ")}`);
  }
  // The packages of a Linux distribution are seen by its own interpreter only, which may stand behind another one.
  const interpreters = python === undefined ? ["python3", "/usr/bin/python3"] : [python];
  for (const { name, module, file } of inPython) {
    if (!names.includes(name)) continue;
    const found = interpreters.find((command) => spawnSync(command, ["-c", `import ${module}`]).status === 0);
    if (found) peers.push({ name, command: found, args: [join(folder, file)] });
    else missing.push(`${name} is left out: ${interpreters.join(" and ")} cannot import ${module}`);
  }
  return { peers, missing };
}

/** Whether a package is there in the version that peers/package.json names. @param {string} name */
function isInstalled(name) {
  const wanted = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).dependencies[name];
  const file = join(folder, "node_modules", name, "package.json");
  return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === wanted;
}

let tried = false;

/** Installs what peers/package.json names, once. */
function install() {
  if (tried) return false;
  tried = true;
  console.error("installing the peers into bench/peers/node_modules …");
  const args = [
    "install",
    "--prefix",
    folder,
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--ignore-scripts",
  ];
  return spawnSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}
