// A small map of a large drawing: where one is. Shown only while not all is seen.

import { setAttribute, setClass, svg } from "../dom.js";

const WIDTH = 176;
const HEIGHT = 120;

export class Mini {
  constructor(viewport) {
    this.viewport = viewport;
    this.view = svg("rect", { class: "mini-view" });
    this.things = svg("g");
    this.node = svg("svg", { class: "mini", width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, this.things, this.view);
    this.node.addEventListener("pointerdown", (event) => this.go(event));
    this.node.addEventListener("pointermove", (event) => event.buttons && this.go(event));
  }

  shape(drawing) {
    this.scale = Math.min((WIDTH - 12) / drawing.width, (HEIGHT - 12) / drawing.height);
    const rect = (kind, id, box) => svg("rect", {
      class: kind, data: { unit: id }, rx: 2, x: 6 + box.x * this.scale, y: 6 + box.y * this.scale,
      width: Math.max(2, box.width * this.scale), height: Math.max(2, box.height * this.scale),
    });
    this.things.replaceChildren(
      ...[...drawing.rooms].map(([id, box]) => rect("mini-room", id, box)),
      ...[...drawing.units].map(([id, box]) => rect("mini-unit", id, box)),
    );
  }

  draw(drawing) {
    const seen = this.viewport.seen();
    const all = seen.x <= 0 && seen.y <= 0 && seen.x + seen.width >= drawing.width && seen.y + seen.height >= drawing.height;
    setAttribute(this.node, "hidden", all);
    if (all) return;
    for (const [name, value] of [["x", 6 + seen.x * this.scale], ["y", 6 + seen.y * this.scale], ["width", seen.width * this.scale], ["height", seen.height * this.scale]])
      setAttribute(this.view, name, value.toFixed(1));
  }

  limit(units) {
    for (const rect of this.things.children) setClass(rect, "limits", units.includes(rect.dataset.unit));
  }

  go(event) {
    const box = this.node.getBoundingClientRect();
    this.viewport.centre((event.clientX - box.left - 6) / this.scale, (event.clientY - box.top - 6) / this.scale);
  }
}
