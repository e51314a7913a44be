// Rooms: a segment, with a light for each replica and a word on where it runs.

import { el, setAttribute, setClass, setText } from "../dom.js";
import { drawLights, lights } from "../lights.js";
import { stateOf } from "../summary.js";

export function makeRoom(room, select) {
  const parts = { lights: lights(), where: el("span", { class: "where" }), state: el("span", { class: "pill" }) };
  const title = el("button", { type: "button", class: "room-title", tabindex: "-1", on: { click: select } },
    el("span", { class: "name", text: room.name }), parts.lights, parts.where, parts.state);
  const node = el("div", { class: "room", data: { room: room.id } }, title);
  node.parts = parts;
  return node;
}

export function drawRoom(node, room, segments) {
  const { parts } = node;
  const running = segments.filter((one) => !["stopped", "failed"].includes(one.state));
  setClass(node, "missing", room.missing || running.length === 0);
  setClass(node, "replicas", segments.length > 1);
  setClass(node, "many", segments.length > 2);
  drawLights(parts.lights, segments.map((one) => ({ name: `replica ${one.replica}, pid ${one.pid}`, state: one.state, segment: one.id })));
  setText(parts.where, room.missing ? "not running" : where(segments, room));
  const state = segments.length ? stateOf(segments.map((one) => one.state)) : "stopped";
  parts.state.hidden = state === "running" || room.missing;
  setAttribute(parts.state, "data-state", state);
  setText(parts.state, state);
}

function where(segments, room) {
  const hosts = [...new Set(segments.map((one) => one.host))];
  const host = hosts.length > 2 ? `${hosts.length} hosts` : hosts.join(", ");
  if (segments.length === 1 && room.wanted <= 1) return `${host} · pid ${segments[0].pid}`;
  const of = room.wanted > segments.length ? `${segments.length} of ${room.wanted}` : segments.length;
  return `${host} · ${of} ${room.wanted > 1 || segments.length > 1 ? "replicas" : "replica"}`;
}
