// Errors, each with its item and its traceback. Used in panels and in the drawer.

import { button, el, keyed, setClass, setText } from "../dom.js";
import { clock } from "../format.js";
import { note } from "../notes.js";
import { part } from "./part.js";

export function errorNode(error, go = null) {
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(error.traceback || error.text);
      note("copied");
    } catch {
      note("the browser does not allow copying here", { bad: true });
    }
  });
  const who = go ? button(error.unit, go, { class: "quiet" }) : null;
  return el("details", { class: "error" },
    el("summary", {}, el("span", { class: "text", text: error.text }), el("span", { class: "meta", text: `${error.unit} · item ${error.item ?? "–"} · ${clock(error.at)}${error.fatal ? " · it ended the process" : ""}` })),
    el("pre", { text: error.traceback || "no traceback", tabindex: "0" }), el("div", { class: "form-foot foot" }, copy, who));
}

export function errorsPart(store, unit) {
  const list = el("div", {});
  const section = part("Errors", list);
  section.draw = (own) => {
    const found = store.errors.filter((error) => error.unit === unit.id && error.process === store.process.id).reverse().slice(0, 20);
    section.node.hidden = found.length === 0 && !own.failed;
    setText(section.more, own.failed ? `${own.failed} failed` : found.length);
    setClass(section.more, "bad", true);
    keyed(list, found, (error) => error.key, (error) => errorNode(error));
  };
  return section;
}
