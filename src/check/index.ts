/** Gradient checks, for our ops and for yours. */
export { type GradcheckOptions, gradcheck } from "./gradcheck.ts";
