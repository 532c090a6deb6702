/** Floor 6: which of the known names somebody meant. Knows letters only. */

/** The name that `given` can be turned into with the fewest edits, or null when none is near. */
export function nearestName(given: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Math.ceil(given.length / 3) + 1;
  for (const name of names) {
    const edits = editDistance(given, name);
    if (edits < fewest) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

/**
 * How many characters must be inserted, deleted, replaced or swapped with their neighbour to make `a` into `b`.
 *
 * @see Damerau, A Technique for Computer Detection and Correction of Spelling Errors, CACM 7 (1964)
 */
export function editDistance(a: string, b: string): number {
  const distance = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const [above, row] = [distance[i - 1], [i]];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        above[j] + 1,
        row[j - 1] + 1,
        replaced,
        swapped ? distance[i - 2][j - 2] + 1 : replaced,
      );
    }
    distance.push(row);
  }
  return distance[a.length][b.length];
}

/** "a", "a and b", "a, b and c". */
export function listed(names: readonly string[], conjunction = "and"): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} ${conjunction} ${names[names.length - 1]}`;
}
