/** Floor 6: when the work will be done, from how far it has come. */

/**
 * Seconds until all seeds are done, if they go on as they went: the seeds that wait go to whichever process is free
 * first.
 *
 * @param done how far each seed is that was begun, in [0, 1]
 * @param seeds how many there are in all
 * @returns null as long as there is nothing to go by
 */
export function secondsLeft(
  done: readonly number[],
  seeds: number,
  processes: number,
  elapsed: number,
): number | null {
  const finished = done.reduce((sum, share) => sum + share, 0);
  if (finished < 0.02) return null;
  const lanes = done.filter((share) => share < 1).map((share) => 1 - share);
  while (lanes.length < Math.min(processes, seeds)) lanes.push(0);
  for (let waiting = seeds - done.length; waiting > 0; waiting--) {
    lanes[lanes.indexOf(Math.min(...lanes))]++;
  }
  const secondsPerSeed = (elapsed * Math.min(processes, seeds)) / finished;
  return Math.max(...lanes) * secondsPerSeed;
}

/** Seconds as `0:07` or `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (part: number): string => String(part).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
