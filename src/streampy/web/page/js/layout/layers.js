// In which column each unit stands. Knows nothing of rows, rooms and pixels.

/**
 * Column of each unit: what the plan says, pushed right where a link that is no feedback would lead back.
 * @param units [{id, layer}]   @param links [{from, to, feedback}], ends are ids
 * @returns Map id -> column, counted from 0 without empty ones
 */
export function layersOf(units, links) {
  const layer = new Map(units.map((unit) => [unit.id, unit.layer ?? 0]));
  const forward = links.filter((link) => !link.feedback && link.from !== link.to && layer.has(link.from) && layer.has(link.to));
  for (let round = 0; round < units.length; round++) {  // a round for each link of the longest way, mostly one
    let moved = false;
    for (const link of forward) {
      if (layer.get(link.to) <= layer.get(link.from)) {
        layer.set(link.to, layer.get(link.from) + 1);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const used = [...new Set(layer.values())].sort((a, b) => a - b);
  const column = new Map(used.map((value, index) => [value, index]));
  return new Map([...layer].map(([id, value]) => [id, column.get(value)]));
}

/** Whether a link leads back, or nowhere on: it is drawn apart. */
export function leadsBack(link, layer) {
  return link.feedback || layer.get(link.to) <= layer.get(link.from);
}
