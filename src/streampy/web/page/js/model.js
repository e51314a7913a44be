// The graph of a process, put together from the snapshots of its segments. Pure.
// A room is a segment with all its replicas; a unit is one card, whichever replicas run it.

/** @param process {process, segments: [snapshot]} as the contract has it */
export function graphOf(process) {
  const graph = { process: process.process, units: new Map(), links: new Map(), rooms: new Map(), chains: [] };
  for (const snapshot of process.segments) addRoom(graph, snapshot);
  for (const snapshot of process.segments) addUnits(graph, snapshot);
  for (const snapshot of process.segments) addLinks(graph, snapshot);
  for (const unit of graph.units.values()) graph.rooms.get(unit.room).units.push(unit.id);
  return graph;
}

/** What decides the drawing: as long as it is the same, figures are patched into it. */
export function shapeOf(graph) {
  return JSON.stringify([
    [...graph.units.values()].map((unit) => [unit.id, unit.room, unit.layer, unit.inputs, unit.outputs, unit.chain, unit.missing]),
    [...graph.links.keys()], [...graph.rooms.keys()],
  ]);
}

function addRoom(graph, snapshot) {
  const id = snapshot.segment;
  if (!graph.rooms.has(id)) graph.rooms.set(id, room(graph, id));
  const found = graph.rooms.get(id);
  found.segments.push(snapshot.id);
  found.segments.sort();
  found.wanted = snapshot.plan?.segments?.[id]?.replicas ?? found.wanted;
}

function room(graph, id, missing = false) {
  return { id, name: id || graph.process, segments: [], units: [], wanted: 1, missing };
}

function addUnits(graph, snapshot) {
  const plan = snapshot.plan;
  if (!plan) return;
  for (const [name, unit] of Object.entries(plan.units)) {
    if (!graph.units.has(name)) graph.units.set(name, unitOf(name, unit, snapshot.segment));
    graph.units.get(name).segments.push(snapshot.id);
  }
  for (const chain of plan.chains ?? [])
    if (chain.length > 1 && !graph.chains.some((known) => known[0] === chain[0])) graph.chains.push(chain);
}

function unitOf(name, plan, segment) {
  const chain = plan.live?.fused_with ?? [name];
  return {
    id: name, name, room: segment, plan, segments: [], missing: false, layer: plan.live?.layer ?? 0,
    inputs: Object.keys(plan.inputs), outputs: Object.keys(plan.outputs), chain: chain.length > 1 ? chain : [],
  };
}

function addLinks(graph, snapshot) {
  for (const link of snapshot.plan?.links ?? []) {
    const id = `${link.from}>${link.to}`;
    if (graph.links.has(id)) continue;
    const [from, fromPort] = split(link.from);
    const [to, toPort] = split(link.to);
    const sender = graph.units.get(from) ?? absent(graph, snapshot, from);
    const receiver = graph.units.get(to) ?? absent(graph, snapshot, to);
    if (sender.missing && !sender.outputs.includes(fromPort)) sender.outputs.push(fromPort);
    if (receiver.missing && !receiver.inputs.includes(toPort)) receiver.inputs.push(toPort);
    const fused = sender.chain.length > 1 && sender.chain.indexOf(to) === sender.chain.indexOf(from) + 1;
    graph.links.set(id, { id, from, fromPort, to, toPort, feedback: link.feedback, crosses: link.crosses, fused });
  }
}

/** A unit of a segment that does not run: its place is kept, its links hang in the air otherwise. */
function absent(graph, snapshot, name) {
  const entry = Object.entries(snapshot.plan.segments ?? {}).find(([, segment]) => segment.units.includes(name));
  const id = entry ? entry[0] : "?";
  if (!graph.rooms.has(id)) graph.rooms.set(id, room(graph, id, true));
  const unit = { id: name, name, room: id, plan: null, segments: [], missing: true, layer: 0, inputs: [], outputs: [], chain: [] };
  graph.units.set(name, unit);
  return unit;
}

/** "other/detect.frame" -> ["other/detect", "frame"] */
export function split(end) {
  const at = end.lastIndexOf(".");
  return [end.slice(0, at), end.slice(at + 1)];
}
