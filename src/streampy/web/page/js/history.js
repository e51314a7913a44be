// The last minute of some figures, as they came. Kept by the page: the server tells only of now.

export const MINUTE = 60;
const LATELY = 10;

export class History {
  constructor() {
    this.lines = new Map();
    this.totals = new Map();
  }

  /** A figure of this moment; at: seconds. */
  note(key, at, value) {
    push(this.lines, key, [at, value], at - MINUTE);
  }

  /** How many and how much since the start: the mean of late follows from the differences. */
  total(key, at, summary) {
    if (summary && summary.count > 0) push(this.totals, key, [at, summary.count, summary.count * summary.mean], at - LATELY);
  }

  /** [[at, value]], oldest first. */
  line(key) {
    return this.lines.get(key) ?? [];
  }

  recent(key) {
    const found = this.totals.get(key);
    if (!found || found.length < 2) return null;
    const [first, last] = [found[0], found.at(-1)];
    const items = last[1] - first[1];
    return items > 0 ? Math.max(0, (last[2] - first[2]) / items) : null;
  }

  clear() {
    this.lines.clear();
    this.totals.clear();
  }
}

function push(map, key, entry, oldest) {
  if (!map.has(key)) map.set(key, []);
  const line = map.get(key);
  if (line.length > 0 && line.at(-1)[0] >= entry[0]) return;
  line.push(entry);
  while (line[0][0] < oldest) line.shift();
}
