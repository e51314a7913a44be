// Figures of a unit, a link, a process: those of its replicas, put together. Pure.
// Counts and rates are added; a p50 is the mean of the replicas', a p99 the worst of theirs.

const COUNTS = ["received", "emitted", "filtered", "failed", "retried", "workers", "restarted", "hung"];
const SHARES = ["busy", "idle", "blocked", "gil"];

/** @param unit of the graph   @param statsOf segment id -> stats or undefined */
export function unitFigures(unit, statsOf) {
  const parts = unit.segments.map((id) => ({ id, stats: statsOf(id), own: statsOf(id)?.units?.[unit.name] })).filter((part) => part.own);
  const figures = { live: parts.length > 0, crew: [], rates: rates(parts.map((part) => part.own.rates)), settings: {}, state: "", pipes: {} };
  for (const name of COUNTS) figures[name] = sum(parts.map((part) => part.own[name]));
  const workers = parts.map((part) => Math.max(1, part.own.workers ?? 1));
  figures.share = Object.fromEntries(
    SHARES.map((name) => [name, mean(parts.map((part) => part.own.share?.[name] ?? 0), workers)]),
  );
  figures.work = summary(parts.map((part) => part.own.work));
  for (const part of parts) {
    for (const worker of part.own.crew ?? []) figures.crew.push({ ...worker, segment: part.id });
    figures.settings = part.own.settings ?? figures.settings;
    figures.state = worse(figures.state, part.own.state);
  }
  for (const port of unit.inputs) {
    const pipe = pipeFigures(parts.map((part) => part.stats.pipes?.[`${unit.name}.${port}`]));
    if (pipe) figures.pipes[port] = pipe;
  }
  figures.lost = sum(Object.values(figures.pipes).map((pipe) => pipe.dropped + pipe.expired));
  figures.full = Math.max(0, ...Object.values(figures.pipes).map(fullness));
  return figures;
}

function pipeFigures(found) {
  const parts = found.filter(Boolean);
  if (parts.length === 0) return null;
  const pipe = { rates: rates(parts.map((part) => part.rates)), wait: summary(parts.map((part) => part.wait)) };
  for (const name of ["depth", "high_water", "received", "delivered", "dropped", "expired"])
    pipe[name] = sum(parts.map((part) => part[name]));
  pipe.capacity = parts.some((part) => part.capacity === null) ? null : sum(parts.map((part) => part.capacity));
  pipe.batch = summary(parts.map((part) => part.batch));
  pipe.overloaded = parts.some((part) => part.overloaded);
  return pipe;
}

/** How full a pipe is, 0..1; one without a bound is never full. */
export function fullness(pipe) {
  return pipe.capacity ? Math.min(1, pipe.depth / pipe.capacity) : 0;
}

/** What goes over one link: its receiver's pipe tells, unless several meet there; fused, the units themselves. */
export function linkFigures(link, graph, figures) {
  const [from, to] = [figures.get(link.from), figures.get(link.to)];
  const pipe = to?.pipes[link.toPort] ?? null;
  const meeting = [...graph.links.values()].filter((other) => other.to === link.to && other.toPort === link.toPort).length;
  const sent = from?.rates.out ?? 0;
  const rate = pipe && meeting === 1 ? pipe.rates.in : from?.live ? sent : (pipe?.rates.in ?? to?.rates.in ?? 0);
  return { rate, pipe, full: pipe ? fullness(pipe) : 0, dropping: pipe?.rates.dropped ?? 0, lost: pipe ? pipe.dropped + pipe.expired : 0 };
}

export function summary(found) {
  const parts = found.filter((part) => part && part.count > 0);
  if (parts.length === 0) return { count: 0, mean: null, p50: null, p95: null, p99: null, max: null };
  const weights = parts.map((part) => part.count);
  return {
    count: sum(weights),
    mean: mean(parts.map((part) => part.mean), weights),
    p50: mean(parts.map((part) => part.p50), weights),
    p95: Math.max(...parts.map((part) => part.p95)),
    p99: Math.max(...parts.map((part) => part.p99)),
    max: Math.max(...parts.map((part) => part.max)),
  };
}

function rates(parts) {
  const names = new Set(parts.flatMap((part) => Object.keys(part ?? {})));
  const all = { in: 0, out: 0, calls: 0, dropped: 0 };
  for (const name of names) all[name] = sum(parts.map((part) => part?.[name]));
  return all;
}

function worse(one, other) {
  const order = ["", "running", "held", "stopped"];
  return order.indexOf(other) > order.indexOf(one) ? other : one;
}

export function sum(values) {
  return values.reduce((total, value) => total + (value ?? 0), 0);
}

function mean(values, weights) {
  const total = sum(weights);
  return total ? values.reduce((all, value, index) => all + value * weights[index], 0) / total : 0;
}
