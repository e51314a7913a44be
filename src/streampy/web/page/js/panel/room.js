// The panel of a room: a segment with its replicas, where each runs, and its verbs.

import { ofSegment } from "../api.js";
import { button, el, keyed, setAttribute, setText } from "../dom.js";
import { count, seconds, span } from "../format.js";
import { ask, attempt } from "../notes.js";
import { stateOf } from "../summary.js";
import { drawFacts, facts, part, title } from "./part.js";

export function roomPanel(store, id, close) {
  const room = store.graph.rooms.get(id);
  const head = title(room.name, id ? `segment of ${store.graph.process}` : "the whole process, in one segment", "", close, []);
  const replicas = el("div", {});
  const section = part(room.wanted > 1 || room.segments.length > 1 ? "Replicas" : "OS process", replicas);
  const units = part("Units", el("div", { class: "panel-verbs" }, ...room.units.map((unit) => button(unit, () => store.select({ kind: "unit", id: unit })))));
  const hogs = el("ul", { class: "hint" });
  const advice = part("Advice", hogs);
  return {
    nodes: [head, advice.node, section.node, units.node],
    draw: () => {
      const found = room.segments.map((segment) => store.segment(segment)).filter(Boolean);
      head.state(found.length ? stateOf(found.map((one) => one.state)) : "stopped");
      setText(section.more, room.wanted > 1 ? `${found.length} of ${room.wanted}` : "");
      keyed(replicas, found, (one) => one.id, (one) => replica(store, one), (node, one) => node.draw(one));
      const said = [...new Set(found.flatMap((one) => one.stats?.hogs ?? []))];
      advice.node.hidden = said.length === 0;
      keyed(hogs, said, (text) => text, (text) => el("li", { text }));
    },
    leave: () => {},
  };
}

function replica(store, snapshot) {
  const list = facts();
  const act = (verb, what) => button(what, (event) => attempt(`${snapshot.id}: ${verb}`, () => ofSegment(snapshot.id, verb), event.currentTarget), { data: { do: verb } });
  const dangerous = (verb, what, text) => button(what, async (event) => {
    const pressed = event.currentTarget;
    if (await ask(`${what} ${snapshot.id}?`, text, what)) await attempt(`${snapshot.id}: ${verb}`, () => ofSegment(snapshot.id, verb), pressed);
  }, { class: verb === "drain" ? "" : "danger", data: { do: verb } });
  const verbs = {
    pause: act("pause", "Pause"), resume: act("resume", "Resume"),
    drain: dangerous("drain", "Drain", "Its sources end, what is under way is finished, then it stops."),
    stop: dangerous("stop", "Stop", "What is under way is given up; its units are closed."),
    kill: dangerous("kill", "Kill", "Its OS process ends at once, without closing anything."),
  };
  const light = el("i", { class: "light" });
  const name = el("b", {});
  const node = el("div", { class: "event" }, el("h4", {}, light, " ", name), list, el("div", { class: "panel-verbs" }, ...Object.values(verbs)));
  node.draw = (one) => {
    setAttribute(light, "data-state", one.state);
    setText(name, `${one.segment || one.process} ${one.replica}`);
    verbs.pause.hidden = one.state === "paused";
    verbs.resume.hidden = one.state !== "paused";
    for (const verb of Object.values(verbs)) verb.disabled = ["stopped", "failed"].includes(one.state);
    const ledger = one.stats?.ledger;
    drawFacts(list, [
      ["state", one.state], ["host", one.host], ["pid", one.pid], ["up", span(one.uptime)], ["StreamPy", one.version],
      ["born", ledger ? count(ledger.born) : null], ["delivered", ledger ? count(ledger.delivered) : null], ["in flight", ledger ? count(ledger.in_flight) : null],
      ["dropped", ledger?.dropped ? count(ledger.dropped) : null, "warn"], ["failed", ledger?.failed ? count(ledger.failed) : null, "bad"],
      ["ledger", ledger ? (ledger.balanced ? "balanced" : "not balanced") : null, ledger && !ledger.balanced ? "bad" : ""],
      ["wait for the GIL p99", one.stats?.gil_wait?.count ? seconds(one.stats.gil_wait.p99) : null],
      ...Object.entries(one.stats?.links ?? {}).map(([other, link]) => [`link to ${other}`, `${link.peers} peers, ${count(link.sent)} sent, ${count(link.waiting)} wait`]),
    ]);
  };
  return node;
}
