// What the page knows: the system as it was last told, what is looked at, and the last minute of it.

import { History } from "./history.js";
import { graphOf, shapeOf } from "./model.js";
import { unitFigures } from "./figures.js";
import { processFigures, stateOf } from "./summary.js";

const LOG = 2000;

export class Store {
  constructor() {
    this.connected = false;
    this.known = false; // whether the server has told anything yet
    this.processes = new Map();
    this.process = null;
    this.graph = null;
    this.shape = "";
    this.figures = new Map();
    this.summary = null;
    this.selected = null; // {kind: "unit" | "link" | "room", id}
    this.history = new History();
    this.log = [];
    this.errors = [];
    this.seen = new Map();
    this.listeners = { shape: [], figures: [], selected: [], connected: [], system: [] };
  }

  on(what, listener) {
    this.listeners[what].push(listener);
  }

  tell(what) {
    for (const listener of this.listeners[what]) listener(this);
  }

  system(data) {
    this.known = true;
    const now = new Map(data.processes.map((process) => [process.id, { ...process, ended: false }]));
    const current = this.process && !now.has(this.process.id) ? this.process : null;
    if (current) now.set(current.id, ended(current)); // what has ended stays to be looked at, with its errors
    this.processes = now;
    for (const process of now.values()) for (const snapshot of process.segments) this.read(process, snapshot);
    this.tell("system");
    const wanted = this.process ? now.get(this.process.id) : null;
    const again = wanted?.ended ? [...now.values()].find((process) => !process.ended && process.process === wanted.process) : null;
    this.look((again ?? wanted ?? first(now))?.id ?? null);
  }

  stats(data) {
    for (const process of this.processes.values())
      for (const snapshot of process.segments) {
        const news = data.segments[snapshot.id];
        if (!news) continue;
        snapshot.state = news.state;
        snapshot.uptime = news.uptime;
        snapshot.stats = news.stats;
        this.read(process, snapshot);
      }
    for (const process of this.processes.values())
      if (!process.ended) process.state = stateOf(process.segments.map((snapshot) => snapshot.state));
    this.refresh(data.at);
  }

  /** What a verb answered: {segment id: {state}}; the next figures would tell it half a second later. */
  answered(segments) {
    for (const snapshot of this.process?.segments ?? []) snapshot.state = segments?.[snapshot.id]?.state ?? snapshot.state;
    if (this.process) this.process.state = stateOf(this.process.segments.map((snapshot) => snapshot.state));
    this.tell("figures");
  }

  gone(data) {
    for (const process of this.processes.values())
      for (const snapshot of process.segments) if (snapshot.id === data.id) snapshot.state = data.state;
    this.refresh();
  }

  /** Look at that process; null where none runs. */
  look(id) {
    const before = this.process?.id;
    this.process = id === null ? null : (this.processes.get(id) ?? null);
    if (this.process?.id !== before) {
      this.history.clear();
      this.shape = "";
      if (before !== undefined) this.selected = null;
    }
    this.graph = this.process ? graphOf(this.process) : null;
    const shape = this.graph ? this.process.id + shapeOf(this.graph) : "";
    this.count();
    if (shape !== this.shape || this.process === null) {
      this.shape = shape;
      if (this.selected && !this.has(this.selected)) this.selected = null;
      this.tell("shape");
      this.tell("selected");
    }
    this.tell("figures");
  }

  refresh(at = Date.now() / 1000) {
    this.count();
    if (this.graph) this.remember(at);
    this.tell("figures");
  }

  count() {
    if (!this.graph) {
      this.figures = new Map();
      this.summary = null;
      return;
    }
    const stats = new Map(this.process.segments.map((snapshot) => [snapshot.id, snapshot.stats ?? undefined]));
    this.figures = new Map([...this.graph.units.values()].map((unit) => [unit.id, unitFigures(unit, (id) => stats.get(id))]));
    this.summary = processFigures(this.graph, this.figures, [...stats.values()]);
  }

  remember(at) {
    for (const [name, own] of this.figures) {
      const moved = own.rates.in || own.rates.out;
      this.history.note(`rate:${name}`, at, this.graph.units.get(name).inputs.length ? moved : own.rates.out);
      this.history.note(`busy:${name}`, at, own.share.busy);
      this.history.total(`work:${name}`, at, own.work);
      this.history.note(`work:${name}`, at, this.history.recent(`work:${name}`) ?? own.work.mean ?? 0);
      for (const [port, pipe] of Object.entries(own.pipes)) {
        this.history.total(`wait:${name}.${port}`, at, pipe.wait);
        this.history.note(`depth:${name}.${port}`, at, pipe.depth);
        this.history.note(`in:${name}.${port}`, at, pipe.rates.in);
      }
    }
    this.history.note("rate", at, this.summary.rateOut);
  }

  /** Lines of the log and errors that were not known yet. */
  read(process, snapshot) {
    const known = this.seen.get(snapshot.id) ?? { line: -1, errors: new Set() };
    this.seen.set(snapshot.id, known);
    const where = { process: process.id, segment: snapshot.id, room: snapshot.segment };
    for (const line of snapshot.stats?.log ?? []) {
      if (line.number <= known.line) continue;
      known.line = line.number;
      this.log.push({ ...line, ...where });
    }
    for (const error of snapshot.stats?.errors ?? []) {
      const key = `${error.at} ${error.unit} ${error.item} ${error.text}`;
      if (known.errors.has(key)) continue;
      known.errors.add(key);
      this.errors.push({ ...error, ...where, key: `${snapshot.id} ${key}` });
    }
    if (this.log.length > LOG) this.log.splice(0, this.log.length - LOG);
    if (this.errors.length > 200) this.errors.splice(0, this.errors.length - 200);
  }

  select(what) {
    const same = what?.kind === this.selected?.kind && what?.id === this.selected?.id;
    if (same) return;
    this.selected = what;
    this.tell("selected");
  }

  has({ kind, id }) {
    const table = { unit: this.graph?.units, link: this.graph?.links, room: this.graph?.rooms }[kind];
    return Boolean(table?.has(id));
  }

  segment(id) {
    return this.process?.segments.find((snapshot) => snapshot.id === id);
  }

  connection(connected, wait) {
    this.retry = wait;
    if (this.connected === connected && connected) return;
    this.connected = connected;
    this.tell("connected");
  }
}

function ended(process) {
  const state = process.segments.some((snapshot) => snapshot.state === "failed") ? "failed" : "stopped";
  return { ...process, state, ended: true, segments: process.segments.map((one) => ({ ...one, state: one.state === "failed" ? "failed" : "stopped" })) };
}

function first(processes) {
  return processes.values().next().value;
}
