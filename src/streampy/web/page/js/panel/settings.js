// Settings of a unit, changed while it runs.

import { ofUnit } from "../api.js";
import { button, el, setClass, setText } from "../dom.js";
import { field, read, shown } from "./fields.js";
import { part } from "./part.js";

export function settingsPart(store, unit) {
  const settings = Object.entries(unit.plan.live?.settings ?? {});
  if (settings.length === 0) return null;
  const section = part("Settings");
  const told = el("span", { class: "told", role: "status" });
  const rows = settings.map(([name, setting]) => row(unit, name, setting));
  const form = el("form", { class: "form" }, ...rows.flatMap((one) => [one.label, one.input]));
  const apply = button("Apply", () => form.requestSubmit(), { class: "main", data: { do: "set" } });
  const undo = button("Undo", () => rows.forEach((one) => one.reset()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  section.body.append(form, el("div", { class: "form-foot" }, apply, undo, told));

  async function submit() {
    const changed = {};
    for (const one of rows) {
      setClass(one.input, "wrong", false);
      try {
        if (one.dirty()) changed[one.name] = read(one.input, one.type);
      } catch (error) {
        setClass(one.input, "wrong", true);
        return tell(`${one.name}: ${error.message}`, true);
      }
    }
    if (Object.keys(changed).length === 0) return tell("nothing is changed", false);
    try {
      await ofUnit(store.process.id, unit.id, "set", { settings: changed, timeout: 10 });
      rows.forEach((one) => one.name in changed && one.taken());
      tell(`set ${Object.keys(changed).join(", ")}`, false);
    } catch (error) {
      tell(error.message, true);
    }
  }

  function tell(text, bad) {
    setText(told, text);
    setClass(told, "bad", bad);
  }

  section.draw = (own) => {
    let dirty = 0;
    for (const one of rows) {
      one.follow(own.settings[one.name]);
      dirty += one.dirty() ? 1 : 0;
    }
    apply.disabled = dirty === 0;
    undo.disabled = dirty === 0;
  };
  form.addEventListener("input", () => section.draw({ settings: {} }));
  return section;
}

/** A field follows what the server says, until somebody types in it. */
function row(unit, name, setting) {
  const id = `set-${unit.id}-${name}`;
  const input = field(setting.type, setting.value, id);
  let known = setting.value;
  const now = () => (input.type === "checkbox" ? input.checked : input.value);
  const said = () => (input.type === "checkbox" ? known === true : shown(known));
  const write = () => { input.type === "checkbox" ? (input.checked = known === true) : (input.value = shown(known)); };
  const label = el("label", { for: id, title: setting.default === undefined ? null : `default: ${shown(setting.default)}` }, name, " ", el("span", { class: "type", text: setting.type }));
  const one = {
    name, type: setting.type, label, input,
    dirty: () => now() !== said(),
    reset: write,
    taken: () => { known = input.type === "checkbox" ? input.checked : input.value; },
    follow: (value) => {
      if (value !== undefined && shown(value) !== shown(known)) {
        const untouched = !one.dirty() && document.activeElement !== input;
        known = value;
        if (untouched) write();
      }
      setClass(input, "changed", one.dirty());
    },
  };
  return one;
}
