// Where the time of an item goes, hop by hop: along the slowest way to an end, the wait in each pipe and the work behind it.
// Pure. Times are means of the last seconds, or since the start where nothing came in them.

/**
 * @param end unit id at which the way ends   @param recent key -> mean seconds of late, or null
 * @returns [{unit, wait, work}] from source to end, seconds
 */
export function hopsTo(end, graph, figures, recent) {
  if (!end || !graph.units.has(end)) return [];
  const memo = new Map();
  return slowest(end, graph, figures, recent, memo, new Set()).way.filter((hop) => hop.wait + hop.work > 0);
}

function slowest(name, graph, figures, recent, memo, above) {
  if (memo.has(name)) return memo.get(name);
  const own = figures.get(name);
  const source = graph.units.get(name).inputs.length === 0; // an item is born when its source has made it
  const work = source ? 0 : (recent(`work:${name}`) ?? own?.work.mean ?? 0);
  let best = { way: [{ unit: name, wait: 0, work }], time: work };
  for (const link of graph.links.values()) {
    if (link.to !== name || link.feedback || above.has(link.from) || link.from === name) continue;
    const before = slowest(link.from, graph, figures, recent, memo, new Set([...above, name]));
    const wait = recent(`wait:${name}.${link.toPort}`) ?? own?.pipes[link.toPort]?.wait.mean ?? 0;
    const time = before.time + wait + work;
    if (time > best.time || best.way.length === 1) best = { way: [...before.way, { unit: name, wait, work }], time };
  }
  memo.set(name, best);
  return best;
}
