// Where rooms stand, and the ways between them that long links take. Both are lanes: a height, and the columns they
// reach over. Lanes that share a column stand one above the other, in one order for all columns.

const ROUNDS = 6;
const FEW = 24; // lanes

/**
 * @param lanes [{first, last, height, gap, y}] in the order to begin with; `y` is set
 * @param strings [{a, aAt, b, bAt, weight}]: links, from a height within lane a to a height within lane b; short is good
 */
export function plan(lanes, strings) {
  const touching = new Map(lanes.map((lane) => [lane, []]));
  for (const string of strings) {
    touching.get(string.a).push(string);
    touching.get(string.b).push(string);
  }
  let order = lanes;
  let best = null;
  const consider = (candidate, rounds = 8) => {
    pack(candidate);
    relax(candidate, touching, rounds);
    const found = { order: candidate, cost: cost(candidate, strings), at: candidate.map((lane) => lane.y) };
    if (best === null || found.cost < best.cost - 0.5) {
      best = found;
      return true;
    }
    return false;
  };
  consider(order);
  for (let round = 0; round < ROUNDS; round++) {
    const middle = new Map(order.map((lane) => [lane, wishOf(lane, touching) + lane.height / 2]));
    order = [...order].sort((a, b) => middle.get(a) - middle.get(b));
    consider(order);
  }
  improve(best.order, (candidate) => consider(candidate, 3));
  consider(best.order);
  best.order.forEach((lane, index) => { lane.y = best.at[index]; });
}

/** Each lane in turn tries all places and keeps the best, as long as that helps; very many only try the next one. */
function improve(start, consider) {
  let order = start;
  const few = start.length <= FEW;
  for (let round = 0; round < 3; round++) {
    let better = false;
    for (const lane of start) {
      const at = order.indexOf(lane);
      const others = order.filter((other) => other !== lane);
      const places = few ? others.keys() : [at - 1, at + 1];
      for (const place of [...places, others.length]) {
        if (place === at || place < 0 || place > others.length) continue;
        const moved = [...others.slice(0, place), lane, ...others.slice(place)];
        if (!consider(moved)) continue;
        order = moved;
        better = true;
      }
    }
    if (!better) return;
  }
}

function overlap(a, b) {
  return a.first <= b.last && b.first <= a.last;
}

function pack(order) {
  order.forEach((lane, index) => {
    lane.y = 0;
    for (let above = 0; above < index; above++) {
      const other = order[above];
      if (overlap(lane, other)) lane.y = Math.max(lane.y, other.y + other.height + (lane.gap + other.gap) / 2);
    }
  });
}

/** Each lane moves to where its links are short, as far as those above and below let it. */
function relax(order, touching, rounds) {
  for (let round = 0; round < rounds; round++) {
    const sequence = round % 2 === 0 ? [...order.keys()].reverse() : [...order.keys()];
    for (const index of sequence) {
      const lane = order[index];
      let least = -Infinity;
      let most = Infinity;
      order.forEach((other, place) => {
        if (place === index || !overlap(lane, other)) return;
        const gap = (lane.gap + other.gap) / 2;
        if (place < index) least = Math.max(least, other.y + other.height + gap);
        else most = Math.min(most, other.y - gap - lane.height);
      });
      lane.y = Math.max(least, Math.min(most, wishOf(lane, touching)));
    }
  }
}

function wishOf(lane, touching) {
  let sum = 0;
  let weight = 0;
  for (const string of touching.get(lane)) {
    const [at, other, there] = string.a === lane ? [string.aAt, string.b, string.bAt] : [string.bAt, string.a, string.aAt];
    if (other === lane) continue;
    sum += (other.y + there - at) * string.weight;
    weight += string.weight;
  }
  return weight ? sum / weight : lane.y;
}

function cost(order, strings) {
  const top = Math.min(...order.map((lane) => lane.y));
  const bottom = Math.max(...order.map((lane) => lane.y + lane.height));
  let sum = (bottom - top) * 0.5;
  for (const string of strings) sum += Math.abs(string.a.y + string.aAt - string.b.y - string.bAt) * string.weight;
  return sum;
}
