/** A teacher's answers, recorded, for students that learn where it is not. */
export type { SoftTargetDescription } from "./description.ts";
export { mergeSoftTargets } from "./merge-soft-targets.ts";
export type { SoftTargetMode } from "./mode.ts";
export { type RecordSoftTargetsOptions, recordSoftTargets } from "./record-soft-targets.ts";
export { type Shard, shardRows } from "./shard-rows.ts";
export { type ExpectedSoftTargets, readSoftTargets, SoftTargets } from "./soft-targets.ts";
export type { TopClasses } from "./top-classes.ts";
