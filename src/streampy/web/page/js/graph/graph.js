// The drawing of the process: laid out anew when the graph changes, patched when figures come.

import { button, el, setAttribute, setClass, setText, svg } from "../dom.js";
import { linkFigures } from "../figures.js";
import { rate } from "../format.js";
import { layout } from "../layout/layout.js";
import { drawCard, makeCard } from "./card.js";
import { drawLink, makeLink } from "./links.js";
import { Mini } from "./mini.js";
import { firstOf, neighbour } from "./moves.js";
import { drawRoom, makeRoom } from "./rooms.js";
import { Viewport } from "./viewport.js";

const FAR = 0.62;
const FARTHER = 0.4;
const PICTURE = { width: 136, height: 96 };
const COLOURS = [["busy", "busy"], ["blocked", "back-pressured"], ["idle", "idle"], ["full", "pipe full"]];

export class Graph {
  constructor(host, store) {
    this.store = store;
    this.world = el("div", { class: "world" });
    this.ground = el("div", { class: "ground", on: { click: (event) => this.miss(event) } }, this.world);
    this.zoomed = el("span", { class: "zoom" });
    this.tools = el("div", { class: "tools", role: "toolbar", "aria-label": "Zoom" },
      button("−", () => this.viewport.by(1 / 1.25, undefined, undefined, true), { "aria-label": "Zoom out" }), this.zoomed,
      button("+", () => this.viewport.by(1.25, undefined, undefined, true), { "aria-label": "Zoom in" }),
      button("Fit", () => this.viewport.fit(true), { title: "show all (f)" }));
    const colours = el("div", { class: "colours", "aria-hidden": "true" }, ...COLOURS.map(([name, text]) => el("span", {}, el("i", { class: name }), text)));
    this.viewport = new Viewport(this.ground, this.world, () => this.moved());
    this.mini = new Mini(this.viewport);
    this.host = host;
    this.host.append(this.ground, this.tools, colours, this.mini.node);
    this.cards = new Map();
    this.links = new Map();
    this.rooms = new Map();
    this.tags = new Map();
    this.pins = new Map(); // link id -> picture
    this.drawing = null;
    store.on("shape", () => this.shape());
    store.on("figures", () => this.figures());
    store.on("selected", () => this.selected());
  }

  shape() {
    const graph = this.store.graph;
    this.focused = null;
    this.pins.clear();
    for (const table of [this.cards, this.links, this.rooms, this.tags]) table.clear();
    this.world.replaceChildren();
    for (const node of [this.ground, this.tools]) node.hidden = !graph;
    if (!graph || graph.units.size === 0) {
      this.drawing = null;
      this.mini.node.setAttribute("hidden", "");
      return;
    }
    this.drawing = layout({ units: [...graph.units.values()], links: [...graph.links.values()], rooms: [...graph.rooms.values()] });
    setClass(this.world, "compact", this.drawing.compact);
    this.build(graph);
    this.mini.shape(this.drawing);
    this.viewport.size = this.drawing;
    this.viewport.fit();
  }

  build(graph) {
    for (const [id, box] of this.drawing.rooms) this.rooms.set(id, lay(makeRoom(graph.rooms.get(id), () => this.store.select({ kind: "room", id })), box));
    const chains = graph.chains.map((chain) => this.chain(chain)).filter(Boolean);
    const lines = svg("svg", { class: "links", width: this.drawing.width, height: this.drawing.height });
    for (const [id, line] of this.drawing.links) {
      const link = makeLink(graph.links.get(id), line, this.drawing.links.size, () => this.store.select({ kind: "link", id }));
      this.links.set(id, link);
      lines.append(link);
    }
    for (const [id, box] of this.drawing.units) this.cards.set(id, lay(makeCard(graph.units.get(id), () => this.open(id)), box));
    this.world.append(...this.rooms.values(), ...chains, lines, ...this.cards.values());
    this.world.style.width = `${this.drawing.width}px`;
    this.world.style.height = `${this.drawing.height}px`;
    this.focusable(firstOf(this.drawing.units));
  }

  /** Units of one chain are called directly, one after the other: a band holds them together. */
  chain(names) {
    const boxes = names.map((name) => this.drawing.units.get(name)).filter(Boolean);
    if (boxes.length < 2) return null;
    const [left, top] = [Math.min(...boxes.map((box) => box.x)) - 8, Math.min(...boxes.map((box) => box.y)) - 8];
    const right = Math.max(...boxes.map((box) => box.x + box.width)) + 8;
    const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + 8;
    const band = { x: left, y: top, width: right - left, height: bottom - top };
    return lay(el("div", { class: "chain", title: `fused: ${names.join(" → ")}` }, el("span", { class: "chain-label", text: "fused" })), band);
  }

  figures() {
    const { graph, figures, summary, history } = this.store;
    if (!graph || !this.drawing) return;
    const near = this.viewport.zoom >= FAR && !this.drawing.compact;
    for (const [id, card] of this.cards) drawCard(card, graph.units.get(id), figures.get(id), history, summary.limit, near);
    for (const [id, node] of this.links) {
      const link = graph.links.get(id);
      const own = linkFigures(link, graph, figures);
      drawLink(node, link, own, graph.units.get(link.from).missing || graph.units.get(link.to).missing);
      this.tag(id, own);
    }
    for (const [id, room] of this.rooms) {
      const found = graph.rooms.get(id);
      drawRoom(room, found, found.segments.map((segment) => this.store.segment(segment)).filter(Boolean));
    }
    this.mini.limit(summary.limit?.limit === "unit" ? summary.limit.units : []);
  }

  /** A link that loses items says how many a second. */
  tag(id, own) {
    if (own.dropping <= 0 && !this.tags.has(id)) return;
    if (!this.tags.has(id)) {
      const node = el("span", { class: "tag lossy" });
      this.tags.set(id, put(node, this.drawing.links.get(id).middle));
      this.world.append(node);
    }
    const node = this.tags.get(id);
    node.hidden = own.dropping <= 0;
    setText(node, `−${rate(own.dropping)}/s`);
  }

  /** A picture at the middle of its link, until it is taken away with null. */
  pin(id, source) {
    if (source === null) {
      this.pins.get(id)?.remove();
      this.pins.delete(id);
      return;
    }
    if (!this.pins.has(id)) {
      const line = this.drawing?.links.get(id);
      if (!line) return;
      const node = el("button", { type: "button", class: "pinned", "aria-label": `picture on the link ${id}`, on: { click: () => this.store.select({ kind: "link", id }) } }, el("img", { alt: "" }));
      this.pins.set(id, put(node, this.free(this.store.graph.links.get(id), line.middle)));
      this.world.append(node);
    }
    this.pins.get(id).firstChild.src = source;
  }

  /** Where a picture of a link covers no card: below or above its ends, else at its middle. */
  free(link, middle) {
    const ends = [link.to, link.from].map((unit) => this.drawing.units.get(unit));
    const places = ends.flatMap((box) => [box.y + box.height + 10, box.y - PICTURE.height - 10].flatMap((y) =>
      [middle.x, box.x + box.width / 2].map((x) => ({ x, y }))));
    const covers = (at, box) => Math.abs(box.x + box.width / 2 - at.x) < (box.width + PICTURE.width) / 2 && at.y < box.y + box.height && box.y < at.y + PICTURE.height;
    return places.find((at) => ![...this.drawing.units.values()].some((box) => covers(at, box))) ?? middle;
  }

  selected() {
    const { selected, graph } = this.store;
    for (const [kind, table] of [["unit", this.cards], ["link", this.links], ["room", this.rooms]])
      for (const [id, node] of table) setClass(node, "selected", selected?.kind === kind && selected.id === id);
    const unit = selected?.kind === "unit" ? selected.id : null;
    for (const [id, node] of this.links) {
      const link = graph.links.get(id);
      setClass(node, "beside", unit !== null && link.from !== unit && link.to !== unit);
    }
    if (unit && this.drawing) requestAnimationFrame(() => this.drawing?.units.has(unit) && this.viewport.show(this.drawing.units.get(unit)));
  }

  open(id) {
    this.focusable(id);
    this.store.select({ kind: "unit", id });
  }

  /** Only one card is reached by Tab, the arrows lead on from it. */
  focusable(id) {
    if (this.focused) setAttribute(this.cards.get(this.focused), "tabindex", "-1");
    this.focused = id;
    if (id) setAttribute(this.cards.get(id), "tabindex", "0");
  }

  arrow(key) {
    if (!this.drawing) return;
    const here = document.activeElement?.dataset?.unit;
    const next = here ? neighbour(this.drawing.units, here, key) : this.focused;
    this.focusable(next);
    this.cards.get(next)?.focus({ preventScroll: true });
    this.viewport.show(this.drawing.units.get(next));
    if (this.store.selected?.kind === "unit") this.store.select({ kind: "unit", id: next });
  }

  miss(event) {
    if (event.target === this.ground || event.target === this.world || event.target.classList.contains("room")) this.store.select(null);
  }

  moved() {
    const zoom = this.viewport.zoom;
    setClass(this.world, "far", zoom < FAR);
    setClass(this.world, "farther", zoom < FARTHER);
    setText(this.zoomed, `${Math.round(zoom * 100)} %`);
    if (this.drawing) this.mini.draw(this.drawing);
  }
}

function lay(node, box) {
  Object.assign(node.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` });
  return node;
}

function put(node, at) {
  Object.assign(node.style, { left: `${at.x}px`, top: `${at.y}px` });
  return node;
}
