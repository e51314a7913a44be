// A drawing of a process: where each card, room and link is. Pure: the same graph gives the same drawing.
// Knows nothing of the page and of what the cards show.

import { back, curve } from "./curves.js";
import { plan } from "./floor.js";
import { layersOf, leadsBack } from "./layers.js";
import { furnish } from "./rooms.js";
import { BEND, cardHeight, portOffset, sizesFor } from "./sizes.js";

/**
 * @param graph {units: [{id, room, layer, inputs: [port], outputs: [port]}], rooms: [{id}],
 *   links: [{id, from, fromPort, to, toPort, feedback, fused}]}; ends are unit ids, ports are names
 * @returns {width, height, units: Map id -> box, rooms: Map id -> box, links: Map id -> {path, middle, back}, compact}
 */
export function layout(graph) {
  const size = sizesFor(graph.units.length);
  const layer = layersOf(graph.units, graph.links);
  const units = new Map(graph.units.map((unit) => [unit.id, measured(unit, layer.get(unit.id), size)]));
  const links = graph.links.filter((link) => units.has(link.from) && units.has(link.to));
  const sorted = sort(links, units, layer);
  const rooms = graph.rooms.map((room) => roomOf(room, units, sorted, size)).filter((room) => room.units.length > 0);
  const byRoom = new Map(rooms.map((room) => [room.id, room]));
  const ways = waysOf(sorted.between, units);
  let pulls = new Map();
  for (let round = 0; round < 2; round++) {  // rooms are furnished anew once it is known where their links lead
    for (const room of rooms) place(room, pulls, size);
    const lanes = [...rooms, ...ways].sort((a, b) => a.first - b.first);
    const strings = stringsOf(sorted.between, units, byRoom, ways, size);
    plan(lanes, strings);
    pulls = pullsOf(sorted.between, units, byRoom, size);
  }
  return draw({ units, rooms, byRoom, ways, sorted, size });
}

function measured(unit, layer, size) {
  const height = cardHeight(size.card, unit.inputs.length);
  const at = (ports, port) => portOffset(height, Math.max(0, ports.indexOf(port)), ports.length);
  return {
    id: unit.id, room: unit.room, layer, height,
    inAt: (port) => at(unit.inputs, port),
    outAt: (port) => at(unit.outputs, port),
  };
}

function sort(links, units, layer) {
  const sorted = { inside: [], between: [], back: [] };
  for (const link of links) {
    if (leadsBack(link, layer)) sorted.back.push(link);
    else if (units.get(link.from).room === units.get(link.to).room) sorted.inside.push(link);
    else sorted.between.push(link);
  }
  return sorted;
}

function roomOf(room, units, sorted, size) {
  const own = [...units.values()].filter((unit) => unit.room === room.id);
  const has = (link) => units.get(link.from).room === room.id;
  const columns = own.map((unit) => unit.layer);
  const tracks = sorted.back.filter(has).length;
  return {
    id: room.id, units: own, links: sorted.inside.filter(has), tracks,
    first: Math.min(...columns), last: Math.max(...columns), gap: size.room.gap, y: 0,
  };
}

function place(room, pulls, size) {
  const offset = room.y + size.room.head;
  const own = new Map(room.units.map((unit) => [unit.id, (pulls.get(unit.id) ?? []).map((pull) => ({ ...pull, y: pull.y - offset }))]));
  const inside = furnish(room.units, room.links, own);
  room.ways = inside.ways;
  room.rows = new Map(inside.nodes.map((node) => [node.id, node.y]));
  room.height = size.room.head + inside.height + size.room.foot + room.tracks * size.room.track;
}

/** One way for all long links of an output that leave its room, over the columns between. */
function waysOf(between, units) {
  const ways = new Map();
  for (const link of between) {
    const [from, to] = [units.get(link.from), units.get(link.to)];
    if (to.layer - from.layer < 2) continue;
    const key = `${link.from}\u0000${link.fromPort}`;
    if (!ways.has(key)) ways.set(key, { key, first: from.layer + 1, last: 0, height: BEND, gap: 10, y: 0, links: [] });
    const way = ways.get(key);
    way.last = Math.max(way.last, to.layer - 1);
    way.links.push(link);
  }
  return [...ways.values()];
}

function stringsOf(between, units, byRoom, ways, size) {
  const wayOf = new Map(ways.flatMap((way) => way.links.map((link) => [link, way])));
  const within = (unit) => size.room.head + byRoom.get(unit.room).rows.get(unit.id);
  const strings = [];
  for (const link of between) {
    const [from, to] = [units.get(link.from), units.get(link.to)];
    const start = { a: byRoom.get(from.room), aAt: within(from) + from.outAt(link.fromPort) };
    const end = { b: byRoom.get(to.room), bAt: within(to) + to.inAt(link.toPort) };
    const way = wayOf.get(link);
    if (!way) strings.push({ ...start, ...end, weight: 1 });
    else {
      strings.push({ ...start, b: way, bAt: BEND / 2, weight: 1 });
      strings.push({ a: way, aAt: BEND / 2, ...end, weight: 1 });
    }
  }
  return strings;
}

function pullsOf(between, units, byRoom, size) {
  const pulls = new Map();
  const top = (unit) => byRoom.get(unit.room).y + size.room.head + byRoom.get(unit.room).rows.get(unit.id);
  const add = (id, pull) => pulls.set(id, [...(pulls.get(id) ?? []), pull]);
  for (const link of between) {
    const [from, to] = [units.get(link.from), units.get(link.to)];
    add(to.id, { side: "left", y: top(from) + from.outAt(link.fromPort), at: to.inAt(link.toPort) });
    add(from.id, { side: "right", y: top(to) + to.inAt(link.toPort), at: from.outAt(link.fromPort) });
  }
  return pulls;
}

function draw({ units, rooms, byRoom, ways, sorted, size }) {
  const top = Math.min(0, ...rooms.map((room) => room.y), ...ways.map((way) => way.y));
  for (const lane of [...rooms, ...ways]) lane.y += size.room.pad - top;
  const x = columnsOf(units, rooms, sorted, size);
  const boxes = new Map();
  for (const unit of units.values()) {
    const room = byRoom.get(unit.room);
    const y = room.y + size.room.head + room.rows.get(unit.id);
    boxes.set(unit.id, { x: x[unit.layer], y, width: size.card.width, height: unit.height });
  }
  const frames = new Map(rooms.map((room) => [room.id, frameOf(room, x, size)]));
  return {
    width: Math.max(size.card.width, ...[...frames.values()].map((box) => box.x + box.width)) + size.room.pad,
    height: Math.max(...[...frames.values()].map((box) => box.y + box.height), ...ways.map((way) => way.y), 0) + size.room.pad,
    units: boxes, rooms: frames, links: linesOf({ units, byRoom, ways, sorted, x, boxes, size }),
    compact: size.compact,
  };
}

function frameOf(room, x, size) {
  const left = x[room.first] - size.room.pad;
  return { x: left, y: room.y, width: x[room.last] + size.card.width + size.room.pad - left, height: room.height };
}

/** Left side of each column; the wider the channel before it, the more links swing there. */
function columnsOf(units, rooms, sorted, size) {
  const count = Math.max(...[...units.values()].map((unit) => unit.layer)) + 1;
  const swinging = Array(count).fill(0);
  for (const link of [...sorted.inside, ...sorted.between]) {
    if (link.fused) continue;
    for (let layer = units.get(link.from).layer; layer < units.get(link.to).layer; layer++) swinging[layer] += 1;
  }
  for (const link of sorted.back) {
    swinging[units.get(link.from).layer] += 2;
    if (units.get(link.to).layer > 0) swinging[units.get(link.to).layer - 1] += 2;
  }
  const walls = (layer) => (rooms.some((room) => room.last === layer) ? 1 : 0) + (rooms.some((room) => room.first === layer + 1) ? 1 : 0);
  const x = [size.room.pad * 2 + (sorted.back.length ? size.channel.wall : 0)];
  for (let layer = 0; layer + 1 < count; layer++) {
    const needed = size.channel.least + size.channel.link * swinging[layer];
    const channel = (swinging[layer] ? Math.min(size.channel.most, needed) : size.channel.fused) + size.channel.wall * walls(layer);
    x.push(x[layer] + size.card.width + channel);
  }
  return x;
}

function linesOf({ units, byRoom, ways, sorted, x, boxes, size }) {
  const lines = new Map();
  const wayOf = new Map(ways.flatMap((way) => way.links.map((link) => [link, way])));
  const ends = (link) => {
    const [from, to] = [boxes.get(link.from), boxes.get(link.to)];
    return [
      { x: from.x + from.width, y: from.y + units.get(link.from).outAt(link.fromPort) },
      { x: to.x, y: to.y + units.get(link.to).inAt(link.toPort) },
    ];
  };
  for (const link of sorted.inside) {
    const [start, end] = ends(link);
    const room = byRoom.get(units.get(link.from).room);
    const bends = room.ways.get(link).map((bend) => over(size, x, bend.layer, room.y + size.room.head + room.rows.get(bend.id)));
    lines.set(link.id, line([start, ...bends, end]));
  }
  for (const link of sorted.between) {
    const [start, end] = ends(link);
    const way = wayOf.get(link);
    const last = units.get(link.to).layer - 1;
    const bends = way ? [{ x: x[way.first], to: x[last] + size.card.width, y: way.y + BEND / 2 }] : [];
    lines.set(link.id, line([start, ...bends, end]));
  }
  const used = new Map();
  for (const link of sorted.back) {
    const [start, end] = ends(link);
    const room = byRoom.get(units.get(link.from).room);
    const track = used.get(room) ?? 0;
    used.set(room, track + 1);
    const floor = room.y + room.height - size.room.foot / 2 - track * size.room.track - 3;
    const path = back(start, end, start.x + 14 + track * 5, floor, end.x - 16 - track * 5);
    lines.set(link.id, { path, middle: { x: (start.x + end.x) / 2, y: floor }, back: true });
  }
  return lines;
}

function over(size, x, layer, top) {
  return { x: x[layer], to: x[layer] + size.card.width, y: top + BEND / 2 };
}

function line(points) {
  const at = points.length === 2 ? points : [points[Math.floor(points.length / 2)]];
  const level = at.length === 1;
  const middle = level
    ? { x: (at[0].x + at[0].to) / 2, y: at[0].y }
    : { x: (at[0].x + at[1].x) / 2, y: (at[0].y + at[1].y) / 2 };
  return { path: curve(points), middle, back: false };
}
