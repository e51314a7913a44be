// Events that a unit takes, each with its arguments and what its workers answered.

import { ofUnit } from "../api.js";
import { button, el, setClass, setText } from "../dom.js";
import { value } from "../format.js";
import { field, read } from "./fields.js";
import { part } from "./part.js";

export function eventsPart(store, unit) {
  const events = Object.entries(unit.plan.live?.events ?? {});
  if (events.length === 0) return null;
  const section = part("Events", ...events.map(([name, event]) => form(store, unit, name, event)));
  return section;
}

function form(store, unit, name, event) {
  const told = el("span", { class: "told", role: "status" });
  const rows = event.arguments.map((argument) => {
    const id = `event-${unit.id}-${name}-${argument.name}`;
    const input = field(argument.type, argument.default, id);
    return { argument, input, label: el("label", { for: id }, argument.name, " ", el("span", { class: "type", text: argument.type })) };
  });
  const fire = button("Fire", () => node.requestSubmit(), { class: "main", data: { do: "fire", event: name } });
  const node = el("form", { class: "event" }, el("h4", { text: name }), event.doc && el("p", { class: "hint", text: event.doc }),
    el("div", { class: "form" }, ...rows.flatMap((row) => [row.label, row.input])), el("div", { class: "form-foot" }, fire, told));
  node.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    fire.setAttribute("aria-busy", "true");
    try {
      const answers = await ofUnit(store.process.id, unit.id, "fire", { event: name, values: [], named: argumentsOf(rows), timeout: 10 });
      tell(`answered: ${Object.values(answers).flat().map(value).join(", ") || "by no worker"}`, false);
    } catch (error) {
      tell(error.message, true);
    } finally {
      fire.removeAttribute("aria-busy");
    }
  });
  function tell(text, bad) {
    setText(told, text);
    setClass(told, "bad", bad);
  }
  return node;
}

function argumentsOf(rows) {
  const named = {};
  for (const { argument, input } of rows) {
    setClass(input, "wrong", false);
    if (input.type !== "checkbox" && input.value.trim() === "" && !argument.required) continue;
    try {
      named[argument.name] = read(input, argument.type);
    } catch (error) {
      setClass(input, "wrong", true);
      throw new Error(`${argument.name}: ${error.message}`);
    }
  }
  return named;
}
