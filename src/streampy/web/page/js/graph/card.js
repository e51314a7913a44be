// One unit's card: made once, patched as figures come.

import { el, setAttribute, setClass, setStyle, setText } from "../dom.js";
import { fullness } from "../figures.js";
import { pair, rate, share, tiny } from "../format.js";
import { drawLights, lights } from "../lights.js";
import { drawSpark, spark } from "../spark.js";

export function makeCard(unit, select) {
  const [within, name] = parted(unit.name);
  const parts = {
    gauges: el("span", { class: "gauges" }, ...unit.inputs.map((port) => el("span", { class: "gauge", title: port, data: { port } }, el("i")))),
    lights: lights(),
    flag: el("span", { class: "flag" }),
    badges: ["lost", "failed", "restarted"].map((kind) => el("span", { class: `badge ${kind}`, hidden: true })),
    rate: el("span", { class: "rate" }, el("span"), el("small", { text: "/s" })),
    work: el("span", { class: "work", title: "work on one call: p50 / p99" }),
    spark: spark(),
    time: el("div", { class: "time" }),
  };
  const card = el("div", { class: "card", role: "button", tabindex: "-1", data: { unit: unit.id }, on: { click: select } },
    parts.gauges, parts.flag, el("span", { class: "badges" }, ...parts.badges),
    el("div", { class: "top" }, el("span", { class: "name", title: unit.name }, within && el("span", { class: "within", text: within }), name), parts.lights),
    el("div", { class: "under" }, el("span", { class: "use", text: unit.plan ? used(unit.plan.use) : "not running", title: unit.plan?.use })),
    el("div", { class: "nums" }, parts.rate, parts.work), parts.spark, parts.time);
  setClass(card, "missing", unit.missing);
  card.parts = parts;
  return card;
}

/** @param limit the bottleneck as the contract has it, or null   @param near whether small things can be seen */
export function drawCard(card, unit, own, history, limit, near) {
  const parts = card.parts;
  const moved = unit.inputs.length ? own.rates.in || own.rates.out : own.rates.out;
  setText(parts.rate.firstChild, unit.missing ? "–" : rate(moved));
  setText(parts.work, unit.missing ? "" : pair(own.work.p50, own.work.p99));
  for (const gauge of parts.gauges.children) drawGauge(gauge, own.pipes[gauge.dataset.port]);
  drawLights(parts.lights, own.crew);
  drawBadge(parts.badges[0], own.lost, `−${tiny(own.lost)}`, "dropped or expired in its pipes");
  drawBadge(parts.badges[1], own.failed, `!${tiny(own.failed)}`, "failed");
  drawBadge(parts.badges[2], own.restarted, `↻${tiny(own.restarted)}`, "workers that were replaced");
  drawTime(parts.time, own.share);
  const limits = Boolean(limit?.units?.includes(unit.id));
  const paces = limits && (limit.limit === "source" || limit.limit === "pace");
  const halted = own.state === "held" || own.state === "stopped";
  setClass(card, "limits", limits && (limit.limit === "unit" || limit.limit === "hand-over"));
  setClass(card, "paces", paces);
  setClass(card, "held", halted);
  setClass(card, "stopped-unit", halted);
  setText(parts.flag, halted ? (own.state === "held" ? "paused" : "stopped") : paces ? "sets the pace" : "bottleneck");
  setAttribute(card, "aria-label", spoken(unit, own, moved, limits));
  if (near) drawSpark(parts.spark, history.line(`rate:${unit.id}`));
}

export function drawTime(node, shares) {
  const busy = Math.min(1, shares.busy);
  setStyle(node, "--a", `${(busy * 100).toFixed(1)}%`);
  setStyle(node, "--b", `${(Math.min(1, busy + shares.blocked) * 100).toFixed(1)}%`);
  setAttribute(node, "title", `busy ${share(shares.busy)}, back-pressured ${share(shares.blocked)}, idle ${share(shares.idle)}`);
}

function drawGauge(gauge, pipe) {
  setClass(gauge, "none", !pipe);
  if (!pipe) return;
  const full = fullness(pipe);
  setStyle(gauge.firstChild, "--full", full.toFixed(3));
  setClass(gauge, "full", full >= 0.9);
  setClass(gauge, "filling", full >= 0.6 && full < 0.9);
  setAttribute(gauge, "title", `${gauge.dataset.port}: ${pipe.depth} of ${pipe.capacity ?? "any number of"} items wait`);
}

function drawBadge(badge, number, text, title) {
  badge.hidden = !number;
  if (!number) return;
  setText(badge, text);
  setAttribute(badge, "title", `${number} ${title}`);
}

function spoken(unit, own, moved, limits) {
  if (unit.missing) return `${unit.name}, not running`;
  const words = [unit.name, `${rate(moved)} a second`, `busy ${share(own.share.busy)}`, `pipe ${share(own.full)} full`];
  if (limits) words.push("the bottleneck");
  if (own.failed) words.push(`${own.failed} failed`);
  if (own.lost) words.push(`${own.lost} dropped`);
  return words.join(", ");
}

export function used(use) {
  return use.slice(use.lastIndexOf(":") + 1);
}

function parted(name) {
  const at = name.lastIndexOf("/") + 1;
  return [name.slice(0, at), name.slice(at)];
}
