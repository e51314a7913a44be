// What stands where the graph would be, while there is none.

import { el, setText } from "./dom.js";

export class Empty {
  constructor(host, store) {
    this.store = store;
    this.title = el("h2", {});
    this.text = el("span", {});
    this.command = el("code", { text: "streampy run FILE" });
    this.node = el("div", { class: "empty" }, el("span", { class: "drops", "aria-hidden": "true" }, el("i"), el("i"), el("i")), this.title, this.text, this.command);
    host.append(this.node);
    for (const what of ["shape", "figures", "connected"]) store.on(what, () => this.draw());
    this.draw();
  }

  draw() {
    const { store } = this;
    const drawn = store.graph && store.graph.units.size > 0;
    this.node.hidden = Boolean(drawn);
    if (drawn) return;
    this.command.hidden = !store.known || store.graph !== null;
    setText(this.title, store.graph ? `${store.graph.process} starts` : store.known ? "No process runs" : "Looking for processes");
    setText(this.text, store.graph ? "Its plan comes as soon as it is known." : store.known ? "Start one; it is shown here by itself:" : "");
  }
}
