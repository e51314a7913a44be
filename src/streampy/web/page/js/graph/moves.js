// Which card an arrow key leads to. Pure.

const AXIS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest card in that direction; what lies aside counts double. @param boxes Map id -> {x, y, width, height} */
export function neighbour(boxes, id, key) {
  const here = middle(boxes.get(id));
  const [dx, dy] = AXIS[key];
  let best = null;
  for (const [other, box] of boxes) {
    if (other === id) continue;
    const there = middle(box);
    const ahead = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    if (ahead < 4 || (dy !== 0 && aside > box.width * 1.5)) continue;
    const far = ahead + 2 * aside;
    if (best === null || far < best.far) best = { id: other, far };
  }
  return best?.id ?? id;
}

export function firstOf(boxes) {
  return [...boxes].sort((a, b) => a[1].x - b[1].x || a[1].y - b[1].y)[0]?.[0] ?? null;
}

function middle(box) {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
