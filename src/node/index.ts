/** What needs Node, or an engine that has Node's modules: threads. */
export { type ThreadOptions, type Threads, useThreads } from "./threads.ts";
