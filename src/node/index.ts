/** What needs Node, or an engine that has Node's modules: threads, files. */

export { loadModel, type SaveModelOptions, saveModel } from "./model-files.ts";
export { type EnvironmentShard, shardFromEnvironment } from "./shard-from-environment.ts";
export {
  loadSoftTargetShards,
  loadSoftTargets,
  recordSoftTargetShard,
  saveSoftTargets,
} from "./soft-target-files.ts";
export { type ThreadOptions, type Threads, useThreads } from "./threads.ts";
