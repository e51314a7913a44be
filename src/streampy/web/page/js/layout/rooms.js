// The inside of one room: its units and the bends of its long links, in columns, ordered and given rows.
// Knows nothing of other rooms but where, in pixels, their links come from.

import { BEND, GAP } from "./sizes.js";
import { settle } from "./settle.js";

const SWEEPS = 10;
const WEIGHT = { fused: 60, bends: 10, link: 3, into: 1, pull: 0.6 }; // how much it matters that this is straight

/**
 * @param units [{id, layer, height, inAt(port), outAt(port)}] of the room
 * @param links [{from, to, fromPort, toPort, fused}] within it, none leads back
 * @param pulls Map unit id -> [{side: "left"|"right", y, at}]: where links of other rooms come from, relative to the room
 * @returns {rows: Map id -> top, ways: Map link -> [node], nodes, height}
 */
export function furnish(units, links, pulls) {
  const { nodes, columns, ways } = nodesOf(units, links);
  order(columns, pulls);
  align(columns);
  const top = Math.min(...nodes.map((node) => node.y));
  for (const node of nodes) node.y -= top;
  return { nodes, ways, height: Math.max(...nodes.map((node) => node.y + node.height)) };
}

function nodesOf(units, links) {
  const nodes = [];
  const columns = new Map();
  const byId = new Map();
  const add = (node) => {
    nodes.push(node);
    byId.set(node.id, node);
    if (!columns.has(node.layer)) columns.set(node.layer, []);
    columns.get(node.layer).push(node);
    return node;
  };
  for (const unit of units) add({ ...unit, real: true, left: [], right: [], y: 0 });
  const ways = new Map();
  for (const link of links) {
    const from = byId.get(link.from);
    const to = byId.get(link.to);
    const way = [];
    let last = from;
    let at = from.outAt(link.fromPort);
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      const id = `${link.from}\u0000${link.fromPort}\u0000${layer}`;  // links of one output share their way
      const known = byId.get(id);
      const bend = known ?? add({ id, layer, height: BEND, real: false, left: [], right: [], y: 0 });
      if (!known) join(last, at, bend, BEND / 2, last.real ? WEIGHT.into : WEIGHT.bends);
      way.push(bend);
      last = bend;
      at = BEND / 2;
    }
    join(last, at, to, to.inAt(link.toPort), link.fused ? WEIGHT.fused : last.real ? WEIGHT.link : WEIGHT.into);
    ways.set(link, way);
  }
  return { nodes, columns: [...columns].sort((a, b) => a[0] - b[0]).map((entry) => entry[1]), ways };
}

function join(from, fromAt, to, toAt, weight) {
  from.right.push({ node: to, at: fromAt, there: toAt, weight });
  to.left.push({ node: from, at: toAt, there: fromAt, weight });
}

/** Barycentre sweeps to and fro; the order with the fewest crossings is kept. */
function order(columns, pulls) {
  stack(columns);
  let best = columns.map((column) => [...column]);
  let fewest = crossings(columns);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const rightward = sweep % 2 === 0;
    const sequence = rightward ? columns : [...columns].reverse();
    for (const column of sequence) {
      const wish = new Map(column.map((node) => [node, centre(node, rightward ? "left" : "right", pulls)]));
      column.sort((a, b) => wish.get(a) - wish.get(b));
      stack([column]);
    }
    const count = crossings(columns);
    if (count < fewest) {
      fewest = count;
      best = columns.map((column) => [...column]);
    }
  }
  best.forEach((column, index) => { columns[index] = column; });
  stack(columns);
}

function stack(columns) {
  for (const column of columns) {
    const total = column.reduce((sum, node, index) => sum + node.height + (index ? between(column[index - 1], node) : 0), 0);
    let y = -total / 2;
    column.forEach((node, index) => {
      y += index ? between(column[index - 1], node) : 0;
      node.y = y;
      y += node.height;
    });
  }
}

/** Where the node's top would have to be for its links on that side to be straight; where it is, if it has none. */
function centre(node, side, pulls) {
  let sum = 0;
  let weight = 0;
  for (const link of node[side]) {
    sum += (link.node.y + link.there - link.at) * link.weight;
    weight += link.weight;
  }
  for (const pull of pulls.get(node.id) ?? []) {
    if (pull.side !== side) continue;
    sum += (pull.y - pull.at) * WEIGHT.pull;
    weight += WEIGHT.pull;
  }
  return weight ? sum / weight : node.y;
}

function crossings(columns) {
  let count = 0;
  for (const column of columns) {
    const lines = column.flatMap((node) => node.right.map((link) => [node.y + link.at, link.node.y + link.there]));
    for (let i = 0; i < lines.length; i++)
      for (let j = i + 1; j < lines.length; j++)
        if ((lines[i][0] - lines[j][0]) * (lines[i][1] - lines[j][1]) < 0) count++;
  }
  return count;
}

/** Where links of other rooms come from tells the order, not the rows: it would tear the room apart. */
const NONE = new Map();

/** Rows: each column settles as near as may be to its neighbours, to and fro, then to both sides at once. */
function align(columns) {
  for (let sweep = 0; sweep < SWEEPS * 3; sweep++) {
    const sequence = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const column of sequence) {
      const sides = sweep < SWEEPS ? [sweep % 2 === 0 ? "left" : "right"] : ["left", "right"];
      const found = column.map((node) => wished(node, sides));
      const tops = settle(
        found.map((one) => one.wish),
        found.map((one) => one.weight),
        (index) => column[index].height + between(column[index], column[index + 1]),
      );
      column.forEach((node, index) => { node.y = tops[index]; });
    }
  }
}

function wished(node, sides) {
  let sum = 0;
  let weight = 0;
  for (const side of sides) {
    const own = node[side].reduce((total, link) => total + link.weight, 0);
    if (own === 0) continue;
    sum += centre(node, side, NONE) * own;
    weight += own;
  }
  return weight ? { wish: sum / weight, weight } : { wish: node.y, weight: 0.05 };
}

function between(above, below) {
  if (above.real && below.real) return GAP.cards;
  return above.real || below.real ? GAP.mixed : GAP.bends;
}
