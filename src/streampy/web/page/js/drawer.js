// The drawer at the foot: the log of all segments, and the errors, each to be filtered.

import { button, el, keyed, setAttribute, setClass, setText } from "./dom.js";
import { clock } from "./format.js";
import { errorNode } from "./panel/errors.js";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];
const MOST = 400; // rows in the page; the store keeps more

export class Drawer {
  constructor(host, store) {
    this.store = store;
    this.tab = null;
    this.counts = { log: el("span", { class: "count" }), errors: el("span", { class: "count" }) };
    this.tabs = {
      log: button("Log", () => this.open(this.tab === "log" ? null : "log"), { class: "tab", role: "tab", title: "log (l)" }),
      errors: button("Errors", () => this.open(this.tab === "errors" ? null : "errors"), { class: "tab", role: "tab", title: "errors (e)" }),
    };
    for (const [name, tab] of Object.entries(this.tabs)) tab.append(this.counts[name]);
    this.last = el("span", { class: "last" });
    const changed = { change: () => this.draw(), input: () => this.draw() };
    this.level = el("select", { "aria-label": "Least level", on: changed }, ...LEVELS.map((level) => el("option", { value: level, text: level.toLowerCase() })));
    this.level.value = "INFO";
    this.unit = el("select", { "aria-label": "Of unit", on: changed });
    this.text = el("input", { type: "search", placeholder: "with the text", "aria-label": "With the text", on: changed });
    this.filters = el("span", { class: "verbs" }, this.level, this.unit, this.text);
    this.body = el("div", { class: "drawer-body", role: "log", "aria-live": "off", tabindex: "0" });
    this.rows = el("div", {});
    this.hint = el("p", { class: "hint" });
    this.body.append(this.hint, this.rows);
    host.append(el("div", { class: "drawer-bar", role: "tablist" }, this.tabs.log, this.tabs.errors, this.last, this.filters), this.body);
    store.on("figures", () => this.draw());
    store.on("shape", () => this.choices());
    this.open(null);
  }

  open(tab) {
    this.tab = tab;
    this.body.hidden = tab === null;
    this.filters.hidden = tab === null;
    this.last.hidden = tab !== null;
    this.last.nextSibling.before(this.last);
    for (const [name, node] of Object.entries(this.tabs)) setAttribute(node, "aria-selected", name === tab ? "true" : "false");
    this.rows.replaceChildren();
    this.rows.keyedChildren = new Map();
    this.draw();
    this.body.scrollTop = this.body.scrollHeight;
  }

  choices() {
    const names = ["", ...(this.store.graph?.units.keys() ?? [])];
    keyed(this.unit, names, (name) => name, (name) => el("option", { value: name, text: name || "all units" }));
  }

  draw() {
    const { store } = this;
    const id = store.process?.id;
    const log = store.log.filter((line) => line.process === id);
    const errors = store.errors.filter((error) => error.process === id);
    setText(this.counts.log, log.length);
    setText(this.counts.errors, errors.length);
    setClass(this.counts.errors, "bad", errors.length > 0);
    const last = log.at(-1);
    setText(this.last, last ? `${clock(last.at)}  ${last.text.split("\n")[0]}` : "");
    if (this.tab === "log") this.drawLog(log);
    if (this.tab === "errors") this.drawErrors(errors);
  }

  drawLog(log) {
    const least = LEVELS.indexOf(this.level.value);
    const unit = this.unit.value;
    const text = this.text.value.toLowerCase();
    const shown = log.filter((line) => {
      const level = LEVELS.indexOf(line.level);
      if (level >= 0 && level < least) return false;
      if (unit && whose(line) !== unit && !whose(line).startsWith(`${unit}#`)) return false;
      return !text || line.text.toLowerCase().includes(text);
    }).slice(-MOST);
    const following = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - 30;
    keyed(this.rows, shown, (line) => `${line.segment} ${line.number}`, row);
    setText(this.hint, shown.length ? "" : log.length ? "No line fits." : "Nothing has been logged yet.");
    this.hint.hidden = shown.length > 0;
    if (following) this.body.scrollTop = this.body.scrollHeight;
  }

  drawErrors(errors) {
    const unit = this.unit.value;
    const text = this.text.value.toLowerCase();
    const shown = errors.filter((error) => (!unit || error.unit === unit) && (!text || error.text.toLowerCase().includes(text))).reverse();
    keyed(this.rows, shown, (error) => error.key, (error) => errorNode(error, () => this.go(error.unit)));
    setText(this.hint, shown.length ? "" : "No errors.");
    this.hint.hidden = shown.length > 0;
  }

  go(unit) {
    if (this.store.graph?.units.has(unit)) this.store.select({ kind: "unit", id: unit });
  }
}

function row(line) {
  const who = whose(line) || line.room || line.logger;
  return el("div", { class: "row", data: { level: line.level } }, el("span", { class: "at", text: clock(line.at) }),
    el("span", { class: "level", text: line.level.toLowerCase() }), el("span", { class: "who", text: who }), el("span", { class: "text", text: line.text }));
}

/** The unit that logged, "" where it was none. */
function whose(line) {
  const prefix = "streampy.unit.";
  return line.logger.startsWith(prefix) ? line.logger.slice(prefix.length) : "";
}
