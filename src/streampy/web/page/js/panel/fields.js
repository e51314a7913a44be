// Fields for values of settings and arguments: what is typed becomes JSON as its type asks for. Pure but for the inputs.

import { el } from "../dom.js";

export function field(type, value, id) {
  const kind = kindOf(type);
  if (kind === "bool") {
    const input = el("input", { type: "checkbox", id });
    input.checked = value === true;
    return input;
  }
  const input = el("input", { id, type: "text", inputmode: kind === "int" || kind === "float" ? "decimal" : null, autocomplete: "off", spellcheck: "false" });
  input.value = shown(value);
  return input;
}

/** The value in the field. @throws Error that says what was expected */
export function read(input, type) {
  if (input.type === "checkbox") return input.checked;
  const text = input.value.trim();
  const kind = kindOf(type);
  if (text === "" && /None|null/.test(type)) return null;
  if (kind === "str") return input.value;
  if (kind === "int" || kind === "float") {
    const number = Number(text.replace(",", "."));
    if (text === "" || Number.isNaN(number)) throw new Error(`${JSON.stringify(text)} is no number`);
    if (kind === "int" && !Number.isInteger(number)) throw new Error(`${text} is no whole number`);
    return number;
  }
  try {
    return JSON.parse(text);
  } catch {
    return input.value; // a text, a duration: the unit knows what it takes
  }
}

export function shown(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function kindOf(type) {
  const plain = String(type).replace(/\s*\|\s*None|Optional\[(.*)\]/, "$1").trim();
  return ["int", "float", "bool", "str"].includes(plain) ? plain : "other";
}
