// What the process says of a unit: where it runs, with what pipes, and why it is not fused.

import { bytes, seconds, value } from "../format.js";
import { drawFacts, facts, part } from "./part.js";

export function planPart(unit) {
  const { plan } = unit;
  const list = facts();
  drawFacts(list, [
    ["use", plan.use], ["place", plan.place], ["device", plan.device],
    ["workers", plan.workers.min === plan.workers.max ? plan.workers.min : `${plan.workers.min} to ${plan.workers.max}`],
    ["ordered", plan.ordered ? "yes" : "no"], ["on error", policy(plan.on_error)], ["on crash", policy(plan.on_crash)],
    ["timeout", plan.timeout === null ? "none" : seconds(plan.timeout)],
    ["fused with", unit.chain.length ? unit.chain.filter((name) => name !== unit.id).join(", ") : null],
    ["not fused", plan.not_fused],
    ...Object.entries(plan.env ?? {}).map(([name, text]) => [name, text]),
    ["cpus", plan.cpus?.length ? plan.cpus.join(", ") : null],
    ["join", plan.join ? Object.entries(plan.join).filter((entry) => entry[1] !== null).map(([name, of]) => `${name} ${value(of)}`).join(", ") : null],
  ]);
  return part("Plan", list);
}

/** The pipe of one input, as it is set. */
export function pipeRows(input) {
  const { pipe } = input;
  const batch = pipe.batch > 1 ? `≤ ${pipe.batch}${pipe.wait ? `, ≤ ${seconds(pipe.wait)}` : ""}` : null;
  return [
    ["type", input.type], ["from", input.from.join(", ")], ["on full", pipe.overflow.replace("_", " ")], ["batch", batch],
    ["stale after", pipe.stale === null ? null : seconds(pipe.stale)], ["bound", pipe.bytes === null ? null : bytes(pipe.bytes)],
    ["in flight", pipe.in_flight], ["order", pipe.order === "fifo" ? null : pipe.order], ["rate", pipe.rate === null ? null : `${pipe.rate}/s`],
    ["transport", input.transport], ["shared memory", input.shared?.bytes ? bytes(input.shared.bytes) : null],
  ];
}

function policy(of) {
  if (!of) return null;
  return of.retry ? `retry ${of.retry}, then ${of.then}` : of.then;
}
