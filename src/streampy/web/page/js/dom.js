// Making and patching elements. Text is only ever put in as text: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg";

/** @param props class, text, title, on: {event: listener}, data: {name: value}, else attributes; false and null are left out */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Each of these changes the page only where something is new: figures come twice a second. */
export function setText(node, text) {
  const value = text === null || text === undefined ? "" : String(text);
  if (node.textContent !== value) node.textContent = value;
}

export function setAttribute(node, name, value) {
  const text = value === null || value === undefined || value === false ? null : String(value);
  if (node.getAttribute(name) === text) return;
  if (text === null) node.removeAttribute(name);
  else node.setAttribute(name, text);
}

export function setClass(node, name, is) {
  if (node.classList.contains(name) !== Boolean(is)) node.classList.toggle(name, Boolean(is));
}

/** A custom property, through the object model: a policy without inline styles allows that. */
export function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

/** Children for entries, made once for each key, patched from then on, in the order of the entries. */
export function keyed(parent, entries, keyOf, make, patch) {
  const known = parent.keyedChildren ?? (parent.keyedChildren = new Map());
  const left = new Set(known.keys());
  let before = null;
  for (const entry of entries) {
    const key = keyOf(entry);
    left.delete(key);
    if (!known.has(key)) known.set(key, make(entry));
    const node = known.get(key);
    patch?.(node, entry);
    const expected = before ? before.nextSibling : parent.firstChild;
    if (expected !== node) parent.insertBefore(node, expected);
    before = node;
  }
  for (const key of left) {
    known.get(key).remove();
    known.delete(key);
  }
}

export function button(text, onclick, props = {}) {
  return el("button", { type: "button", text, on: { click: onclick }, ...props });
}
