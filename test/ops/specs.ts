/**
 * The table of ops. Every export of src/ops/index.ts must have an entry, or this file does not compile; from each entry
 * the tests beside it are made: value, gradient, both precisions, laws of all ops, errors.
 */

import type { OpName, OpSpec } from "./spec.ts";
import { arithmetic } from "./specs/arithmetic.ts";
import { functions } from "./specs/functions.ts";
import { losses } from "./specs/losses.ts";
import { products } from "./specs/products.ts";
import { reductions } from "./specs/reductions.ts";
import { shapes } from "./specs/shapes.ts";
import { softmaxes } from "./specs/softmaxes.ts";

export const specs: Record<OpName, OpSpec> = {
  ...arithmetic,
  ...functions,
  ...shapes,
  ...reductions,
  ...products,
  ...softmaxes,
  ...losses,
};
