/**
 * The table of ops. Every export of src/ops/index.ts must have an entry, or this file does not compile; from each entry
 * the tests beside it are made: value, gradient, both precisions, laws of all ops, errors.
 */

import type { OpName, OpSpec } from "./spec.ts";
import { arithmetic } from "./specs/arithmetic.ts";
import { attentions } from "./specs/attention.ts";
import { comparisons } from "./specs/comparisons.ts";
import { convolutions } from "./specs/convolutions.ts";
import { distances } from "./specs/distances.ts";
import { functions } from "./specs/functions.ts";
import { joins } from "./specs/joins.ts";
import { losses } from "./specs/losses.ts";
import { norms } from "./specs/norms.ts";
import { pools } from "./specs/pools.ts";
import { products } from "./specs/products.ts";
import { reductions } from "./specs/reductions.ts";
import { selections } from "./specs/selections.ts";
import { shapes } from "./specs/shapes.ts";
import { softmaxes } from "./specs/softmaxes.ts";

export const specs: Record<OpName, OpSpec> = {
  ...arithmetic,
  ...comparisons,
  ...functions,
  ...shapes,
  ...joins,
  ...selections,
  ...reductions,
  ...products,
  ...convolutions,
  ...pools,
  ...norms,
  ...softmaxes,
  ...attentions,
  ...losses,
  ...distances,
};
