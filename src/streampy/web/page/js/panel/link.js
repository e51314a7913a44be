// The panel of a link: what goes over it, what it loses, and a look at it.

import { button, el } from "../dom.js";
import { linkFigures } from "../figures.js";
import { count, rate, share } from "../format.js";
import { drawFacts, facts, lineFigure, part, title } from "./part.js";
import { peekPart } from "./peek.js";
import { pipePart } from "./unit.js";

export function linkPanel(store, id, close, pin) {
  const link = store.graph.links.get(id);
  const receiver = store.graph.units.get(link.to);
  const go = (unit) => button(unit, () => store.select({ kind: "unit", id: unit }), { title: `open ${unit}` });
  const head = title(`${link.from} → ${link.to}`, `${link.fromPort} → ${link.toPort}`, kind(link), close, [go(link.from), go(link.to)]);
  const line = lineFigure("items a second into the pipe");
  const list = facts();
  const live = part("Live", el("div", { class: "lines" }, line), list);
  const pipe = receiver.missing ? null : pipePart(store, receiver, link.toPort);
  const peek = receiver.missing ? null : peekPart(store, receiver, [link.toPort], (port, source) => pin(id, source));
  const parts = [live, peek, pipe].filter(Boolean);
  return {
    nodes: [head, ...parts.map((one) => one.node)],
    draw: () => {
      const own = linkFigures(link, store.graph, store.figures);
      head.state(own.dropping > 0 ? "failed" : "running");
      line.hidden = !own.pipe;
      line.draw(store.history.line(`in:${link.to}.${link.toPort}`), `${rate(own.rate)} /s`);
      drawFacts(live.body.querySelector("dl"), [
        ["rate", `${rate(own.rate)} /s`], ["pipe full", own.pipe ? share(own.full) : null, own.full >= 0.9 ? "bad" : ""],
        ["lost a second", own.dropping > 0 ? rate(own.dropping) : null, "bad"], ["dropped or expired", own.lost ? count(own.lost) : null, "bad"],
      ]);
      if (pipe) pipe.draw(store.figures.get(link.to));
    },
    leave: () => peek?.leave(),
  };
}

function kind(link) {
  if (link.fused) return "Fused: the receiver is called directly, no pipe between.";
  if (link.feedback) return "A feedback link: it leads back into its cycle.";
  if (link.crosses) return "It crosses segments, over the network.";
  return "";
}
