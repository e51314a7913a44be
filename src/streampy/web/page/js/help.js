// The keys, told.

import { button, el } from "./dom.js";

const KEYS = [
  [["←", "↑", "→", "↓"], "from unit to unit"], [["Enter"], "open the unit"], [["Esc"], "close what is open"], [["/"], "search"],
  [["p"], "pause, or go on"], [["f"], "show all"], [["+", "−"], "zoom"], [["l"], "log"], [["e"], "errors"], [["t"], "light or dark"], [["?"], "this"],
];

export function openHelp() {
  if (document.querySelector("dialog[open]")) return;
  const dialog = el("dialog", { class: "help", "aria-label": "Keys" }, el("h2", { text: "Keys" }),
    el("dl", {}, ...KEYS.flatMap(([keys, text]) => [el("dt", {}, ...keys.map((key) => el("kbd", { text: key }))), el("dd", { text })])),
    el("p", { text: "Drag the ground to move, turn the wheel to zoom. Click a unit, a link or the title of a segment. The left edge of a card is its pipe, one gauge for each input; the bar at its foot is how its workers spent the last second." }),
    el("div", { class: "dialog-foot" }, button("Close", () => dialog.close(), { class: "main" })));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
