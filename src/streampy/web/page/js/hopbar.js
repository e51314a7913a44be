// Where an item's time goes, hop by hop: solid is work, faint is waiting.

import { el, keyed, setAttribute, setClass, setStyle, setText } from "./dom.js";
import { seconds } from "./format.js";
import { hopsTo } from "./hops.js";
import { endsOf } from "./summary.js";

const HUES = 10;

export class Hops {
  constructor(store) {
    this.store = store;
    this.strip = el("div", { class: "strip" });
    this.names = el("span", { class: "legend" });
    this.key = el("span", { class: "key" });
    this.node = el("div", { class: "hops" }, this.strip, el("div", { class: "legend" }, this.names, this.key));
  }

  draw() {
    const { graph, figures, history, summary } = this.store;
    const end = summary.end && graph.units.has(summary.end) ? summary.end : (endsOf(graph)[0]?.id ?? null);
    const hops = hopsTo(end, graph, figures, (key) => history.recent(key));
    const total = hops.reduce((sum, hop) => sum + hop.wait + hop.work, 0);
    keyed(this.strip, hops, (hop) => hop.unit, (hop) => this.make(hop), (node, hop) => {
      const time = hop.wait + hop.work;
      setStyle(node, "--time", (time / (total || 1)).toFixed(4));
      setStyle(node, "--hue", hue(hops.indexOf(hop)));
      setStyle(node.children[0], "--part", (hop.wait / (time || 1)).toFixed(4));
      setStyle(node.children[1], "--part", (hop.work / (time || 1)).toFixed(4));
      const words = `${hop.unit}: waits ${seconds(hop.wait)}, works ${seconds(hop.work)}`;
      setAttribute(node, "title", words);
      setAttribute(node, "aria-label", words);
      setClass(node, "limit-hop", summary.limit?.limit === "unit" && summary.limit.units.includes(hop.unit));
    });
    const shown = hops.filter((hop) => (hop.wait + hop.work) / (total || 1) > 0.06).sort((a, b) => b.wait + b.work - a.wait - a.work).slice(0, 4);
    keyed(this.names, shown, (hop) => hop.unit, () => el("span", { class: "name" }), (node, hop) => {
      setStyle(node, "--hue", hue(hops.indexOf(hop)));
      setText(node, `${hop.unit} ${seconds(hop.wait + hop.work)}`);
    });
    setText(this.key, total ? `on the way to ${end} · solid: work, faint: waiting` : "where an item's time goes");
  }

  make(hop) {
    return el("button", { type: "button", class: "hop", on: { click: () => this.store.select({ kind: "unit", id: hop.unit }) } }, el("i", { class: "wait" }), el("i"));
  }
}

function hue(index) {
  return `var(--hue-${index % HUES})`;
}
