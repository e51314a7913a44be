// The panel of a unit: its figures, its pipes, its workers, and all that can be done with it.

import { ofUnit } from "../api.js";
import { button, el, setText } from "../dom.js";
import { count, pair, rate, seconds, share } from "../format.js";
import { drawTime } from "../graph/card.js";
import { ask, attempt } from "../notes.js";
import { crewPart } from "./crew.js";
import { errorsPart } from "./errors.js";
import { eventsPart } from "./events.js";
import { drawFacts, facts, lineFigure, part, title } from "./part.js";
import { peekPart } from "./peek.js";
import { pipeRows, planPart } from "./plan.js";
import { profilePart } from "./profile.js";
import { settingsPart } from "./settings.js";

export function unitPanel(store, id, close, pin) {
  const unit = store.graph.units.get(id);
  if (unit.missing) return missingPanel(unit, close);
  const verbs = verbsOf(store, unit);
  const head = title(unit.name, `${unit.plan.use}${unit.room ? ` · segment ${unit.room}` : ""}`, unit.plan.live?.doc, close, Object.values(verbs));
  const pinOf = (port, source) => {
    for (const link of store.graph.links.values()) if (link.to === id && link.toPort === port) return pin(link.id, source);
    return null;
  };
  const parts = [
    errorsPart(store, unit), livePart(store, unit), ...unit.inputs.map((port) => pipePart(store, unit, port)), crewPart(store, unit),
    settingsPart(store, unit), eventsPart(store, unit), unit.inputs.length > 0 && peekPart(store, unit, unit.inputs, pinOf),
    profilePart(store, unit), planPart(unit),
  ].filter(Boolean);
  return {
    nodes: [head, ...parts.map((one) => one.node)],
    draw: () => {
      const own = store.figures.get(id);
      head.state(own.state || "starting");
      verbs.pause.hidden = own.state === "held";
      verbs.resume.hidden = own.state !== "held";
      verbs.stop.hidden = own.state === "stopped";
      verbs.start.hidden = own.state !== "stopped";
      for (const one of parts) one.draw?.(own);
    },
    leave: () => parts.forEach((one) => one.leave?.()),
  };
}

function missingPanel(unit, close) {
  const head = title(unit.name, `segment ${unit.room}`, "Its segment does not run, so nothing is known of it.", close, []);
  return { nodes: [head], draw: () => head.state("stopped"), leave: () => {} };
}

function verbsOf(store, unit) {
  const act = (verb, what) => async (event) => {
    await attempt(`${unit.id} ${what}`, () => ofUnit(store.process.id, unit.id, verb), event.currentTarget);
  };
  const stop = async (event) => {
    const pressed = event.currentTarget;
    if (await ask(`Stop ${unit.id}?`, "It takes nothing more, and its stop() is called. Start makes it anew.", "Stop"))
      await attempt(`${unit.id} is stopped`, () => ofUnit(store.process.id, unit.id, "stop"), pressed);
  };
  return {
    pause: button("Pause", act("pause", "is paused"), { title: "it finishes what it has, and takes nothing more", data: { do: "pause" } }),
    resume: button("Resume", act("resume", "goes on"), { class: "main", data: { do: "resume" } }),
    start: button("Start", act("start", "is started"), { class: "main", data: { do: "start" } }),
    restart: button("Restart", act("restart", "is made anew"), { title: "its workers are made anew", data: { do: "restart" } }),
    stop: button("Stop", stop, { class: "danger", title: "held, and its stop() is called", data: { do: "stop" } }),
  };
}

function livePart(store, unit) {
  const time = el("div", { class: "time" });
  const words = ["busy", "blocked", "idle", "gil"].map((name) => el("span", {}, el("i", { class: name }), el("span")));
  const line = lineFigure("items a second");
  const work = lineFigure("work on a call, of late");
  const list = facts();
  const section = part("Live", el("div", { class: "shares" }, time, el("div", { class: "words" }, ...words)), el("div", { class: "lines" }, line, work), list);
  section.draw = (own) => {
    drawTime(time, own.share);
    const named = { busy: "busy", blocked: "back-pressured", idle: "idle", gil: "holds the GIL" };
    Object.entries(named).forEach(([name, text], index) => setText(words[index].children[1], `${text} ${share(own.share[name])}`));
    words[3].hidden = !own.share.gil;
    const moved = unit.inputs.length ? own.rates.in || own.rates.out : own.rates.out;
    line.draw(store.history.line(`rate:${unit.id}`), `${rate(moved)} /s`);
    work.draw(store.history.line(`work:${unit.id}`), seconds(store.history.recent(`work:${unit.id}`) ?? own.work.mean));
    drawFacts(list, [
      ["work p50 / p99", pair(own.work.p50, own.work.p99)], ["longest", seconds(own.work.max)],
      ["received", unit.inputs.length ? count(own.received) : null], ["emitted", count(own.emitted)], ["filtered", own.filtered ? count(own.filtered) : null],
      ["retried", own.retried ? count(own.retried) : null, "warn"], ["failed", own.failed ? count(own.failed) : null, "bad"],
      ["end to end p50 / p99", endToEnd(store, unit)],
    ]);
  };
  return section;
}

function endToEnd(store, unit) {
  for (const id of unit.segments) {
    const latency = store.segment(id)?.stats?.latency?.[unit.id];
    if (latency?.count) return pair(latency.p50, latency.p99);
  }
  return null;
}

export function pipePart(store, unit, port) {
  const list = facts();
  const depth = lineFigure("items that wait");
  const section = part(unit.inputs.length > 1 ? `Pipe ${port}` : "Pipe", el("div", { class: "lines" }, depth), list);
  section.draw = (own) => {
    const pipe = own.pipes[port];
    depth.hidden = !pipe;
    if (pipe) depth.draw(store.history.line(`depth:${unit.id}.${port}`), `${pipe.depth} of ${pipe.capacity ?? "∞"}`, pipe.capacity ?? 0);
    setText(section.more, pipe ? (pipe.overloaded ? "overloaded" : "") : "none: it is called directly");
    drawFacts(list, [
      ...(pipe ? [
        ["in / out", `${rate(pipe.rates.in)} / ${rate(pipe.rates.out)} per s`], ["wait p50 / p99", pair(pipe.wait.p50, pipe.wait.p99)],
        ["batch p50 / max", pipe.batch.count ? `${Math.round(pipe.batch.p50)} / ${pipe.batch.max}` : null], ["most at once", pipe.high_water],
        ["dropped", pipe.dropped ? count(pipe.dropped) : null, "bad"], ["expired", pipe.expired ? count(pipe.expired) : null, "bad"],
      ] : []),
      ...pipeRows(unit.plan.inputs[port]),
    ]);
  };
  return section;
}
