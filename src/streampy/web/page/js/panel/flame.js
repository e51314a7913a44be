// Collapsed stacks as an icicle: who called is above, as wide as the share of samples. Pure but for the drawing.

import { el, setText, svg } from "../dom.js";
import { share } from "../format.js";

const WIDTH = 362;
const ROW = 17;
const LEAST = 0.004; // of all samples: thinner ones can't be seen

/** "a:f;b:g" -> count becomes {name, count, children} */
export function treeOf(stacks) {
  const root = { name: "all", count: 0, children: new Map() };
  for (const [stack, count] of Object.entries(stacks)) {
    root.count += count;
    let node = root;
    for (const name of stack.split(";")) {
      if (!node.children.has(name)) node.children.set(name, { name, count: 0, children: new Map() });
      node = node.children.get(name);
      node.count += count;
    }
  }
  return root;
}

export function flame(stacks) {
  const root = treeOf(stacks);
  const told = el("div", { class: "flame-told" });
  const host = el("div", {}, told);
  show(root);
  return host;

  function show(top) {
    const boxes = [];
    spread(top, 0, 0, WIDTH, boxes);
    const rows = Math.max(...boxes.map((box) => box.row)) + 1;
    const drawing = svg("svg", { class: "flame", viewBox: `0 0 ${WIDTH} ${rows * ROW}`, role: "img", "aria-label": "Where the time of its calls goes" },
      ...boxes.map((box) => bar(box, top)));
    host.replaceChildren(told, drawing);
    setText(told, top === root ? `${root.count} samples; point at a bar to read it, click to widen it` : `${top.name} · click its bar to see all`);
  }

  function bar({ node, row, x, width }, top) {
    const text = node.name.slice(node.name.lastIndexOf(":") + 1);
    const words = `${node.name} · ${share(node.count / root.count)} · ${node.count} samples`;
    return svg("g", { tabindex: "0", on: {
      click: () => show(node === top ? root : node),
      keydown: (event) => event.key === "Enter" && show(node === top ? root : node),
      mouseenter: () => setText(told, words),
      focus: () => setText(told, words),
    } },
      svg("rect", { x, y: row * ROW, width: Math.max(0.5, width - 0.5), height: ROW - 1, rx: 2, fill: colour(node.name) }),
      svg("title", { text: words }),
      width > 30 && svg("text", { x: x + 4, y: row * ROW + 11.5, text: text.slice(0, Math.floor((width - 6) / 6.1)) }));
  }

  function spread(node, row, x, width, boxes) {
    boxes.push({ node, row, x, width });
    let left = x;
    const children = [...node.children.values()].sort((a, b) => b.count - a.count);
    for (const child of children) {
      const part = (width * child.count) / node.count;
      if (child.count / root.count >= LEAST) spread(child, row + 1, left, part, boxes);
      left += part;
    }
  }
}

/** One warm colour for each module. */
function colour(name) {
  let hash = 0;
  for (const letter of name.slice(0, name.lastIndexOf(":"))) hash = (hash * 31 + letter.charCodeAt(0)) % 997;
  return `hsl(${18 + (hash % 40)} 86% ${62 + (hash % 5) * 3}%)`;
}
