// Links: a bed, drops that run along it as fast as items do, and a wide line for the pointer.

import { setAttribute, setClass, setStyle, svg } from "../dom.js";
import { rate } from "../format.js";

const PERIOD = 14; // pixels from drop to drop, as in graph.css
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const MANY = 48; // links: above that, drops move ten times a second, which is a sixth of the painting

export function makeLink(link, line, many, select) {
  const group = svg("g", { class: "link", data: { link: link.id }, tabindex: "-1", role: "button" },
    svg("path", { class: "bed", d: line.path }),
    svg("path", { class: "flow", d: line.path }),
    svg("path", { class: "touch", d: line.path, on: { click: select } }));
  setClass(group, "fused", link.fused);
  setClass(group, "crosses", link.crosses);
  setClass(group, "feedback", line.back);
  const easing = many > MANY ? "steps(6)" : "linear";
  group.run = group.children[1].animate({ strokeDashoffset: [`${PERIOD}px`, "0px"] }, { duration: 1000, iterations: Infinity, easing });
  group.run.startTime = 0; // all in step: links that share a way run as one
  group.run.pause();
  return group;
}

export function drawLink(group, link, figures, missing) {
  const moves = figures.rate > 0.05;
  setClass(group, "still", !moves);
  setClass(group, "missing", missing);
  setClass(group, "full", figures.full >= 0.9 || figures.dropping > 0);
  setClass(group, "filling", figures.full >= 0.6 && figures.full < 0.9 && figures.dropping <= 0);
  setStyle(group, "--wide", `${(2.6 + Math.min(2.4, Math.log10(1 + figures.rate) * 0.7)).toFixed(1)}px`);
  setAttribute(group, "aria-label", `link ${link.from} to ${link.to}, ${rate(figures.rate)} items a second`);
  pace(group.run, moves ? figures.rate : 0);
}

/** Drops pass in a second as the logarithm of the rate: 1/s crawls, 30/s walks, 1000/s runs. */
function pace(run, perSecond) {
  const speed = CALM.matches || perSecond <= 0 ? 0 : 0.6 + 1.5 * Math.log2(1 + perSecond);
  const wanted = Math.round(Math.min(14, speed) * 2) / 2;
  if (wanted === 0) {
    if (run.playState !== "paused") run.pause();
    return;
  }
  if (run.playbackRate !== wanted) run.updatePlaybackRate(wanted);
  if (run.playState === "paused") run.play();
}
