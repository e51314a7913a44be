// The line of a link through the points it passes. Between columns it swings, over columns it runs straight, so it never
// meets a card.

/** @param points [{x, y, to?}] `to`: runs level until that x before it swings on */
export function curve(points) {
  let path = `M${round(points[0].x)} ${round(points[0].y)}`;
  points.forEach((point, index) => {
    if (index > 0) path += swing(points[index - 1], point);
    if (point.to !== undefined) path += `H${round(point.to)}`;
  });
  return path;
}

function swing(from, to) {
  const x = from.to ?? from.x;
  if (Math.abs(from.y - to.y) < 0.5) return `L${round(to.x)} ${round(to.y)}`;
  const half = (to.x - x) / 2;
  return `C${round(x + half)} ${round(from.y)} ${round(to.x - half)} ${round(to.y)} ${round(to.x)} ${round(to.y)}`;
}

/** Back from a right side to a left side, below everything at `floor`, with round corners. */
export function back(start, end, out, floor, into) {
  const r = 8;
  const up = end.y < floor ? -r : r;
  return (
    `M${round(start.x)} ${round(start.y)}H${round(out - r)}Q${round(out)} ${round(start.y)} ${round(out)} ${round(start.y + r)}` +
    `V${round(floor - r)}Q${round(out)} ${round(floor)} ${round(out - r)} ${round(floor)}` +
    `H${round(into + r)}Q${round(into)} ${round(floor)} ${round(into)} ${round(floor + up)}` +
    `V${round(end.y - up)}Q${round(into)} ${round(end.y)} ${round(into + r)} ${round(end.y)}H${round(end.x)}`
  );
}

function round(value) {
  return Math.round(value * 10) / 10;
}
