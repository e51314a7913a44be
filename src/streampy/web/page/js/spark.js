// A line of the last minute, as an area. Knows nothing of what it shows.

import { setAttribute, svg } from "./dom.js";
import { MINUTE } from "./history.js";

const WIDTH = 120;
const HEIGHT = 30;

export function spark() {
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "area" }), svg("path", { class: "curve" }));
}

/** @param line [[at, value]]   @param least what the top stands for at least */
export function drawSpark(node, line, least = 0) {
  if (line.length < 2) return;
  const now = line.at(-1)[0];
  let top = least;
  for (const point of line) if (point[1] > top) top = point[1];
  const scale = top > 0 ? (HEIGHT - 3) / (top * 1.08) : 0;
  let path = "";
  for (const [at, value] of line)
    path += `${path ? "L" : "M"}${(WIDTH * (1 - (now - at) / MINUTE)).toFixed(1)} ${(HEIGHT - 1.5 - value * scale).toFixed(1)}`;
  const start = (WIDTH * (1 - (now - line[0][0]) / MINUTE)).toFixed(1);
  setAttribute(node.lastChild, "d", path);
  setAttribute(node.firstChild, "d", `${path}L${WIDTH} ${HEIGHT}L${start} ${HEIGHT}Z`);
}
