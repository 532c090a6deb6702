/** What a function that is linear in some of its operands satisfies, the others held fixed. */
import { float64 } from "../../kernels/float64.ts";
import type { Floats } from "../../kernels/kernels.ts";
import { sizeOf } from "../../shape.ts";
import type { CaseCheck } from "./case-check.ts";
import { largest, requireClose } from "./compare.ts";
import type { OpCase } from "./op-spec.ts";
import { copiesIn, pass, randomNumbers, tensorIn } from "./passes.ts";

type Groups = readonly (readonly number[])[];

/**
 * Superposition, A(a + 2b) = A a + 2 A b, and the adjoint identity, ⟨A b, u⟩ = ⟨b, Aᵀ u⟩, for every set of operands. The
 * operands are a; b and u are drawn.
 *
 * @see Griewank & Walther, Evaluating Derivatives (2008), §3.1
 */
export const isLinear = (groups: Groups): CaseCheck => {
  const groupsOf = (drawn: OpCase): Groups =>
    (drawn.linear ?? groups)
      .map((group) => group.filter((which) => which < drawn.operands.length))
      .filter((group) => group.length > 0);
  return {
    says: `is linear in ${groups.map(named).join(" and in ")}, and backward is its adjoint`,
    share: 1 / 4,
    only: {
      cases: (drawn) => groupsOf(drawn).length > 0,
      otherwise: "name operands that they have, or leave linear out",
    },
    holds: (drawn, seed) => {
      for (const group of groupsOf(drawn)) compare(drawn, group, seed);
    },
  };
};

const named = (group: readonly number[]): string =>
  `operand${group.length === 1 ? "" : "s"} ${group.join(", ")}${group.length === 1 ? "" : " together"}`;

function compare(drawn: OpCase, group: readonly number[], seed: number): void {
  const b = drawn.operands.map((operand, which) =>
    group.includes(which) ? randomNumbers(operand.size, seed + which, "linearity") : [...operand.data],
  );
  const at = (values: readonly (readonly number[])[]): Floats =>
    drawn.call(...values.map((list, which) => tensorIn(float64, list, drawn.operands[which].shape))).data;
  const ofA = drawn.call(...copiesIn(float64, drawn.operands)).data;
  const ofB = at(b);
  const ofSum = at(
    drawn.operands.map(({ data }, which) =>
      group.includes(which) ? b[which].map((x, i) => data[i] + 2 * x) : b[which],
    ),
  );
  // A few hundred roundings of numbers of the size of the largest.
  const bound = 1e-12 * (1 + largest(ofA) + 2 * largest(ofB));
  requireClose(
    `in ${named(group)}: the value for a + 2b`,
    ofSum,
    ofA.map((y, i) => y + 2 * ofB[i]),
    drawn.shape,
    () => bound,
  );

  const u = randomNumbers(sizeOf(drawn.shape), seed);
  const { gradients } = pass(float64, drawn, u);
  const terms = [
    ...u.map((value, i) => value * ofB[i]),
    ...group.flatMap((which) => b[which].map((value, i) => -value * gradients[which][i])),
  ];
  const size = terms.reduce((sum, term) => sum + Math.abs(term), 0);
  requireClose(
    `in ${named(group)}: ⟨A b, u⟩ − ⟨b, Aᵀ u⟩`,
    [terms.reduce((sum, term) => sum + term, 0)],
    [0],
    [],
    () => 1e-12 * (1 + size),
  );
}
