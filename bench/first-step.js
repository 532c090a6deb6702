// @ts-check
/**
 * A process of its own: takes W1's first step, or with the argument `nothing` takes none, and prints the moment in ms
 * since 1970.
 */
if (process.argv[2] !== "nothing") {
  const { stepOf } = await import("./steps.js");
  stepOf("W1")();
}
process.stdout.write(String(performance.timeOrigin + performance.now()));
