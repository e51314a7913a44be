// The workers of a unit: who they are, what each does now, and how many there should be.

import { ofUnit } from "../api.js";
import { button, el, keyed, setAttribute, setText } from "../dom.js";
import { attempt } from "../notes.js";
import { part } from "./part.js";

export function crewPart(store, unit) {
  const list = el("ul", { class: "crew" });
  const number = el("output", { "aria-label": "workers wanted" });
  const { min, max } = unit.plan.workers;
  const source = unit.inputs.length === 0;
  let wanted = null;
  const scale = (by, pressed) => {
    wanted = Math.min(max, Math.max(1, (wanted ?? current) + by));
    setText(number, wanted);
    return attempt(`${unit.id}: ${wanted} worker${wanted > 1 ? "s" : ""}`, () => ofUnit(store.process.id, unit.id, "scale", { workers: wanted }), pressed).then((done) => {
      if (done === undefined) wanted = null;
    });
  };
  let current = min;
  const less = button("−", () => scale(-1, less), { class: "step", "aria-label": "one worker less", data: { do: "less" } });
  const more = button("+", () => scale(1, more), { class: "step", "aria-label": "one worker more", title: `at most ${max}, as the process says`, data: { do: "more" } });
  const told = button(min === max ? `${min}, as the process says` : `${min} to ${max}, by load`, () => {
    wanted = null;
    attempt(`${unit.id}: as the process says`, () => ofUnit(store.process.id, unit.id, "scale", { workers: null }), told);
  }, { class: "quiet", title: "give the number back to the process" });
  const section = part("Workers", list, source ? null : el("div", { class: "stepper" }, less, number, more, told));
  section.draw = (own) => {
    current = Math.max(1, Math.round(own.workers / Math.max(1, unit.segments.length)));
    if (wanted === current) wanted = null;
    keyed(list, own.crew, (worker) => worker.segment + worker.name, () => el("li", {}, el("i", { class: "light" }), el("span"), el("span", { class: "pid" }), el("span")), (node, worker) => {
      const replica = unit.segments.length > 1 ? ` @${store.segment(worker.segment)?.replica ?? "?"}` : "";
      setAttribute(node.children[0], "data-state", worker.state);
      setText(node.children[1], worker.name + replica);
      setText(node.children[2], `${worker.place === "main" ? "main · " : ""}pid ${worker.pid ?? "–"}`);
      setText(node.children[3], worker.state);
    });
    setText(number, wanted ?? current);
    less.disabled = (wanted ?? current) <= 1;
    more.disabled = (wanted ?? current) >= max;
    setText(section.more, `${own.workers}${own.restarted ? ` · ${own.restarted} replaced` : ""}${own.hung ? ` · ${own.hung} hung` : ""}`);
  };
  return section;
}
