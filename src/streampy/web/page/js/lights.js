// A light for each worker, or each replica: what it does now.

import { el, keyed, setAttribute, setText } from "./dom.js";

const MOST = 6;

export function lights() {
  return el("span", { class: "lights" }, el("span", { class: "dots lights" }), el("span", { class: "rest" }));
}

/** @param workers [{name, state}] */
export function drawLights(node, workers) {
  const [dots, rest] = node.children;
  keyed(dots, workers.slice(0, MOST), (worker) => worker.segment + worker.name, () => el("i", { class: "light" }), (light, worker) => {
    setAttribute(light, "data-state", worker.state);
    setAttribute(light, "title", `${worker.name}: ${worker.state}`);
  });
  setText(rest, workers.length > MOST ? `+${workers.length - MOST}` : "");
}
