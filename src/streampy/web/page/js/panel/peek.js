// A look at the items that pass a port: the last that came, with pictures of those that are images.

import { ofUnit } from "../api.js";
import { button, el, setAttribute, setText } from "../dom.js";
import { bytes, seconds } from "../format.js";
import { part } from "./part.js";

const PICTURES = ["image/jpeg", "image/png", "image/webp", "image/gif"];
const EVERY = 1000; // milliseconds between looks, while one keeps looking

/** @param ports names of the unit's inputs, one of which is looked at   @param pin called with a picture's source, or null */
export function peekPart(store, unit, ports, pin) {
  const items = el("div", { class: "items" });
  const told = el("span", { class: "told", role: "status" });
  const choice = el("select", { "aria-label": "Port" }, ...ports.map((port) => el("option", { value: port, text: port })));
  choice.hidden = ports.length < 2;
  let timer = 0;
  const look = button("Peek", () => once(5), { class: "main", data: { do: "peek" } });
  const keep = button("Keep looking", () => (timer ? stop() : start()), { "aria-pressed": "false", title: "look once a second; a picture is shown on the link too" });
  const section = part("Look at items", el("div", { class: "form-foot" }, choice, look, keep, told), items);

  async function once(count) {
    look.setAttribute("aria-busy", "true");
    try {
      const answers = await ofUnit(store.process.id, unit.id, "peek", { port: choice.value || ports[0], count, wait: 1.0, preview: true });
      const found = Object.values(answers).flatMap((answer) => answer?.items ?? []);
      if (!timer && count === 1) return;
      setText(told, found.length ? "" : "none came within a second");
      if (found.length) items.replaceChildren(...found.reverse().map(itemNode));
      const picture = found.map((item) => sourceOf(item.preview)).find(Boolean);
      if (timer && picture) pin?.(choice.value || ports[0], picture);
    } catch (error) {
      stop();
      setText(told, error.message);
    } finally {
      look.removeAttribute("aria-busy");
    }
  }

  function start() {
    const turn = async () => {
      await once(1);
      if (timer) timer = setTimeout(turn, EVERY);
    };
    timer = setTimeout(turn, 0);
    setAttribute(keep, "aria-pressed", "true");
  }

  function stop() {
    clearTimeout(timer);
    timer = 0;
    setAttribute(keep, "aria-pressed", "false");
    for (const port of ports) pin?.(port, null);
  }

  section.leave = stop;
  return section;
}

function itemNode(item) {
  const source = sourceOf(item.preview);
  const shape = item.shape ? `${item.shape.join(" × ")} ${item.dtype ?? ""}` : "";
  const facts = [item.type, shape, item.bytes === null ? "" : bytes(item.bytes)].filter(Boolean).join(" · ");
  const meta = Object.keys(item.meta ?? {}).length ? JSON.stringify(item.meta) : "";
  return el("article", { class: source ? "item picture" : "item" },
    source && el("img", { src: source, alt: `item ${item.key}` }),
    el("div", { class: "what" },
      el("span", { class: "key-line" }, el("span", { text: item.key }), el("span", { text: `${seconds(item.age)} old${item.waiting ? ", waits" : ""}` })),
      el("span", { class: "facts-line", text: facts }), meta && el("pre", { text: meta }), !source && el("pre", { text: item.repr })));
}

/** Only pictures, and only as data: nothing else is ever loaded. */
function sourceOf(preview) {
  if (!preview || !PICTURES.includes(preview.mime) || !/^[A-Za-z0-9+/=\s]*$/.test(preview.base64)) return null;
  return `data:${preview.mime};base64,${preview.base64}`;
}
