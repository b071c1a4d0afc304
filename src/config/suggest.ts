/** The name that was probably meant, as a hint. */
export function suggest(given: string, known: readonly string[]): string | undefined {
  const closest = closestName(given, known);
  if (closest !== undefined) return `did you mean "${closest}"?`;
  if (known.length === 0) return undefined;
  return `known here: ${known.join(', ')}`;
}

function closestName(given: string, known: readonly string[]): string | undefined {
  // A third of the letters may be wrong, and always one.
  let best = Math.max(1, Math.floor(given.length / 3)) + 1;
  let closest: string | undefined;
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance >= best) continue;
    best = distance;
    closest = name;
  }
  return closest;
}

/** Least number of letters inserted, deleted, replaced or exchanged with their neighbor. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforePrevious[j - 2]! + 1);
      }
      current.push(best);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
