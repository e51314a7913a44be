// What the head of the page says of a process: rate, latency, what limits it, what went wrong. Pure.

import { sum, summary } from "./figures.js";

const WEIGHT = { unit: 6, "hand-over": 5, pace: 4, source: 3, bursts: 2, nothing: 1 };

/** @param stats the stats of its segments, undefined where there are none yet */
export function processFigures(graph, figures, stats) {
  const known = stats.filter(Boolean);
  const ends = endsOf(graph);
  const sources = [...graph.units.values()].filter((unit) => unit.plan && unit.inputs.length === 0);
  const rateIn = sum(sources.map((unit) => figures.get(unit.id)?.rates.out));
  const rateOut = sum(ends.map((unit) => figures.get(unit.id)?.rates.in));
  const slowest = slowestEnd(known);
  return {
    rateIn, rateOut, end: slowest.end, latency: slowest.latency,
    lost: sum([...figures.values()].map((one) => one.lost)),
    failed: sum([...figures.values()].map((one) => one.failed)),
    inFlight: sum(known.map((one) => one.ledger?.in_flight)),
    balanced: known.every((one) => one.ledger?.balanced !== false),
    limit: limitOf(known, figures),
    hogs: [...new Set(known.flatMap((one) => one.hogs ?? []))],
  };
}

export function endsOf(graph) {
  const senders = new Set([...graph.links.values()].filter((link) => !link.feedback).map((link) => link.from));
  return [...graph.units.values()].filter((unit) => !senders.has(unit.id) && !unit.missing);
}

/** The end to which items come latest: what others wait for. */
function slowestEnd(stats) {
  const byEnd = new Map();
  for (const one of stats)
    for (const [end, found] of Object.entries(one.latency ?? {})) byEnd.set(end, [...(byEnd.get(end) ?? []), found]);
  let best = { end: null, latency: summary([]) };
  for (const [end, found] of byEnd) {
    const latency = summary(found);
    if (latency.count > 0 && (best.end === null || latency.p50 > best.latency.p50)) best = { end, latency };
  }
  return best;
}

/** Segments tell apart what limits each; the busiest unit limits them all. */
function limitOf(stats, figures) {
  let best = null;
  for (const found of stats.map((one) => one.bottleneck).filter(Boolean)) {
    const busy = Math.max(0, ...(found.units ?? []).map((name) => figures.get(name)?.share.busy ?? 0));
    const weight = (WEIGHT[found.limit] ?? 0) + busy / 2;
    if (best === null || weight > best.weight) best = { ...found, weight };
  }
  return best;
}

/** "running", unless segments differ: then what needs to be looked at most. */
export function stateOf(states) {
  const order = ["failed", "stopping", "draining", "starting", "paused", "running", "stopped"];
  return order.find((state) => states.includes(state)) ?? "stopped";
}
