/** The annex: checks that would let a wrong derivative pass, or refuse a right one. */
import type { Fault } from "./fault.ts";

export const checkFaults: readonly Fault[] = [
  {
    name: "check-stencil",
    file: "src/check/jacobians.ts",
    from: "(a - 8 * b + 8 * c - d) / (12 * h)",
    to: "(a - 8 * b + 8 * c - d) / (8 * h)",
    tests: ["test/check/gradcheck.test.ts"],
  },
  {
    name: "check-entries-tolerant",
    file: "src/check/entries.ts",
    from: "const tolerance = 1e-9 + 1e-8 * largest(all);",
    to: "const tolerance = 1e-9 + 1e-2 * largest(all);",
    tests: ["test/check/gradcheck.test.ts", "test/check/hints.test.ts", "test/check/kinks.test.ts"],
  },
  {
    name: "check-directions-tolerant",
    file: "src/check/directions.ts",
    from: "tolerance: 1e-8 + 1e-8 * terms",
    to: "tolerance: 1e-8 + 1e-2 * terms",
    tests: ["test/check/gradcheck.test.ts", "test/check/hints.test.ts", "test/check/kinks.test.ts"],
  },
  {
    name: "check-errors-are-kinks",
    file: "src/check/kinks.ts",
    from: "if (size >= 0.99 * first)",
    to: "if (size >= 0)",
    tests: ["test/check/gradcheck.test.ts"],
  },
  {
    name: "check-kinks-are-errors",
    file: "src/check/kinks.ts",
    from: "if (error <= tolerance) return",
    to: "if (error <= 0) return",
    tests: ["test/check/kinks.test.ts", "test/check/gradcheck.test.ts"],
  },
  {
    name: "check-laws-tolerant",
    file: "src/check/laws.ts",
    from: "const tolerance = ROUNDING * (1 + largest(expected));",
    to: "const tolerance = 1 + largest(expected);",
    tests: ["test/check/gradcheck.test.ts"],
  },
  {
    name: "check-zero-cotangent",
    file: "src/check/laws.ts",
    from: "gradient.findIndex((value) => value !== 0)",
    to: "gradient.findIndex((value) => value > 1)",
    tests: ["test/check/gradcheck.test.ts"],
  },
];
