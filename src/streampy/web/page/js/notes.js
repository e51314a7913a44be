// Short messages at the corner: what was done, or why it was not.

import { button, el } from "./dom.js";

export function note(text, { bad = false } = {}) {
  const node = el("div", { class: bad ? "note bad" : "note", text });
  document.getElementById("notes").append(node);
  setTimeout(() => node.remove(), bad ? 9000 : 3000);
}

/** Do it, with the button busy meanwhile; say what became of it. @returns what came of it, or undefined */
export async function attempt(what, act, pressed = null) {
  pressed?.setAttribute("aria-busy", "true");
  try {
    const result = await act();
    if (what) note(what);
    return result ?? null;
  } catch (error) {
    note(error.message, { bad: true });
    return undefined;
  } finally {
    pressed?.removeAttribute("aria-busy");
  }
}

/** Ask before what can't be taken back. @returns promise of true or false */
export function ask(title, text, act, { danger = true } = {}) {
  return new Promise((answer) => {
    const yes = button(act, () => dialog.close("yes"), { class: danger ? "danger main" : "main" });
    const no = button("Cancel", () => dialog.close(""));
    const dialog = el("dialog", { "aria-label": title }, el("h2", { text: title }), el("p", { text }), el("div", { class: "dialog-foot" }, no, yes));
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
