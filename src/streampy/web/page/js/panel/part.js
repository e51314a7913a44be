// Parts that panels are made of: folding sections, lists of facts, lines of the last minute.

import { el, keyed, setAttribute, setClass, setText } from "../dom.js";
import { drawSpark, spark } from "../spark.js";

const folded = new Map([["Plan", true], ["Profile", true]]); // by title, for all units alike

/** A section that folds. @returns {node, body, more}: `more` is the text at the right of its title */
export function part(title, ...children) {
  const more = el("span", { class: "more" });
  const body = el("div", { class: "part-body" }, ...children);
  const node = el("details", { class: "part", open: !folded.get(title) }, el("summary", {}, el("span", { text: title }), more), body);
  node.addEventListener("toggle", () => folded.set(title, !node.open));
  return { node, body, more };
}

/** @param rows [[label, value, mark]]: mark is "bad", "warn" or nothing; a value of null leaves the row out */
export function drawFacts(list, rows) {
  const cells = rows.filter((row) => row[1] !== null && row[1] !== undefined)
    .flatMap(([label, value, mark]) => [{ key: `${label} label`, tag: "dt", text: label }, { key: label, tag: "dd", text: value, mark }]);
  keyed(list, cells, (cell) => cell.key, (cell) => el(cell.tag), (node, cell) => {
    setText(node, cell.text);
    setClass(node, "bad", cell.mark === "bad");
    setClass(node, "warn", cell.mark === "warn");
  });
}

export function facts() {
  return el("dl", { class: "facts" });
}

/** A labelled line of the last minute. */
export function lineFigure(label) {
  const node = el("div", { class: "line-figure" }, el("span", { class: "label", text: label }), el("span", { class: "number" }), spark());
  node.draw = (line, text, least = 0) => {
    setText(node.children[1], text);
    drawSpark(node.children[2], line, least);
  };
  return node;
}

/** The head of a panel. */
export function title(name, sub, doc, close, verbs) {
  const state = el("span", { class: "pill" });
  const node = el("div", { class: "panel-head" },
    el("div", { class: "panel-title" }, el("h2", { text: name, tabindex: "-1" }), state,
      el("button", { type: "button", class: "quiet close", text: "×", "aria-label": "Close (Escape)", on: { click: close } })),
    el("div", { class: "panel-sub", text: sub }),
    doc && el("p", { class: "panel-doc", text: doc }),
    verbs.length > 0 && el("div", { class: "panel-verbs" }, ...verbs));
  node.state = (text) => {
    setText(state, text);
    setAttribute(state, "data-state", text);
  };
  return node;
}
