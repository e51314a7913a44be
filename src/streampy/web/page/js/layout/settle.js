// Where things in one column go, as near as may be to where they want to be. Knows nothing of what they are.

/**
 * Positions in the given order, at least `apart(i)` between one and the next, with the least sum of
 * weight * (position - wish)^2: isotonic regression by pooling adjacent violators.
 */
export function settle(wishes, weights, apart) {
  const shifted = [];
  let offset = 0;
  const offsets = wishes.map((wish, index) => {
    offset += index > 0 ? apart(index - 1) : 0;
    shifted.push(wish - offset);
    return offset;
  });
  const pools = [];
  shifted.forEach((wish, index) => {
    pools.push({ sum: wish * weights[index], weight: weights[index], count: 1 });
    while (pools.length > 1 && mean(pools.at(-2)) > mean(pools.at(-1))) {
      const last = pools.pop();
      const pool = pools.at(-1);
      pool.sum += last.sum;
      pool.weight += last.weight;
      pool.count += last.count;
    }
  });
  const settled = pools.flatMap((pool) => Array(pool.count).fill(mean(pool)));
  return settled.map((value, index) => value + offsets[index]);
}

function mean(pool) {
  return pool.sum / pool.weight;
}
