// Finding a unit, link or segment by a part of its name.

import { el } from "./dom.js";
import { rate } from "./format.js";

export function openSearch(store) {
  if (!store.graph || document.querySelector("dialog[open]")) return;
  const input = el("input", { type: "search", placeholder: "A unit, link or segment", "aria-label": "Search", autocomplete: "off", role: "combobox", "aria-expanded": "true", "aria-controls": "found" });
  const list = el("ul", { id: "found", role: "listbox" });
  const dialog = el("dialog", { class: "search", "aria-label": "Search" }, input, list);
  let found = [];
  let at = 0;

  function look() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = entries(store).filter((entry) => words.every((word) => entry.text.includes(word))).slice(0, 40);
    at = 0;
    list.replaceChildren(...found.map((entry, index) => el("li", { role: "option", id: `found-${index}`, on: { click: () => take(index) } },
      el("span", { class: "kind", text: entry.kind === "room" ? "segment" : entry.kind }), el("span", { text: entry.name }), el("span", { class: "more", text: entry.more }))));
    mark();
  }

  function mark() {
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", index === at ? "true" : "false"));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (found.length) input.setAttribute("aria-activedescendant", `found-${at}`);
  }

  function take(index) {
    const entry = found[index];
    if (!entry) return;
    dialog.close();
    store.select({ kind: entry.kind, id: entry.id });
  }

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") at = Math.min(found.length - 1, at + 1);
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter") return take(at);
    else return;
    event.preventDefault();
    mark();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  look();
}

function entries(store) {
  const { graph, figures } = store;
  const entry = (kind, id, name, more) => ({ kind, id, name, more, text: `${name} ${more}`.toLowerCase() });
  return [
    ...[...graph.units.values()].map((unit) => entry("unit", unit.id, unit.name, `${unit.plan?.use ?? ""} ${rate(figures.get(unit.id)?.rates.in)}/s`)),
    ...[...graph.rooms.values()].map((room) => entry("room", room.id, room.name, `${room.units.length} units`)),
    ...[...graph.links.values()].map((link) => entry("link", link.id, `${link.from} → ${link.to}`, link.toPort)),
  ];
}
