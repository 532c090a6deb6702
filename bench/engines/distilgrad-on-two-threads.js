// @ts-check
/** This package, on the tasks of the comparison, with a second thread for large products. */
import { useThreads } from "distilgrad/node";

// Before the first layer is made.
useThreads({ count: 2 });
export default (await import("./distilgrad.js")).default;
