// The head: which process, how it goes, what to do with it.

import { ofProcess } from "./api.js";
import { button, el, keyed, setAttribute, setClass, setText } from "./dom.js";
import { count, rate, seconds } from "./format.js";
import { Hops } from "./hopbar.js";
import { ask, attempt } from "./notes.js";

const LABELS = { unit: "bottleneck", "hand-over": "bottleneck", pace: "pace", source: "the source", bursts: "bursts", nothing: "at ease" };

export class Head {
  constructor(host, store, { search, help, errors }) {
    this.store = store;
    this.picker = el("select", { "aria-label": "Process", on: { change: () => store.look(this.picker.value) } });
    this.state = el("span", { class: "pill" });
    this.metrics = Object.fromEntries(
      [["out", "items / s"], ["p50", "end to end p50"], ["p99", "p99"], ["flight", "in flight"], ["lost", "dropped"], ["failed", "failed"]]
        .map(([name, label]) => [name, metric(label)]),
    );
    this.verbs = {
      pause: button("Pause", () => this.pause(), { title: "sources give nothing more (p)" }),
      drain: button("Drain", () => this.drain(), { title: "sources end, all that is under way is finished, then it stops" }),
      stop: button("Stop", () => this.stop(), { title: "stop now, each unit is closed", class: "danger" }),
      kill: button("Kill", () => this.kill(), { title: "end its OS processes", class: "danger quiet" }),
    };
    this.limit = { what: el("span", { class: "what" }), text: el("span", { class: "text" }), advice: el("span", { class: "advice" }) };
    this.limit.line = el("div", { class: "limit", role: "status" }, this.limit.what, el("span", { class: "said" }, this.limit.text, " ", this.limit.advice));
    this.hops = new Hops(store);
    this.metrics.failed.node.addEventListener("click", errors);
    this.running = el("div", { class: "head-row told" }, this.limit.line, this.hops.node);
    host.append(
      el("div", { class: "head-row" },
        el("span", { class: "logo" }, el("img", { src: "icon.svg", alt: "" }), "Stream", el("b", { text: "Py" })),
        el("span", { class: "which" }, this.picker, this.state),
        el("div", { class: "metrics" }, ...Object.values(this.metrics).map((one) => one.node)),
        el("span", { class: "spring" }),
        el("div", { class: "verbs" }, ...Object.values(this.verbs),
          button("Search", search, { title: "find a unit, link or segment (/)", class: "quiet" }),
          button("◐", () => dispatchEvent(new Event("streampy-theme")), { class: "quiet", "aria-label": "Light or dark", title: "light or dark (t)" }),
          button("?", help, { class: "quiet", "aria-label": "Keys", title: "keys (?)" }))),
      this.running);
    store.on("system", () => this.pick());
    store.on("figures", () => this.draw());
  }

  pick() {
    const runs = [...this.store.processes.values()];
    const names = runs.map((run) => run.process);
    keyed(this.picker, runs, (run) => run.id, (run) => el("option", { value: run.id }), (option, run) => {
      const twice = names.filter((name) => name === run.process).length > 1;
      setText(option, `${run.process}${twice ? ` · ${run.run}` : ""}${run.ended ? " (ended)" : ""}`);
    });
  }

  draw() {
    const { process, summary } = this.store;
    for (const node of [this.running, this.picker.parentElement, this.metrics.out.node.parentElement]) node.hidden = !process;
    for (const verb of Object.values(this.verbs)) verb.hidden = !process;
    document.title = process ? `${process.process} · StreamPy` : "StreamPy";
    if (!process) return;
    if (this.picker.value !== process.id) this.picker.value = process.id;
    setText(this.state, process.ended ? `ended: ${process.state}` : process.state);
    setAttribute(this.state, "data-state", process.state);
    this.numbers(summary);
    this.sentence(summary.limit, process);
    this.hops.draw();
    const over = process.ended || ["stopped", "failed"].includes(process.state);
    setText(this.verbs.pause, process.state === "paused" ? "Resume" : "Pause");
    setAttribute(this.verbs.pause, "aria-pressed", process.state === "paused" ? "true" : null);
    for (const verb of Object.values(this.verbs)) verb.disabled = over;
  }

  numbers(summary) {
    setText(this.metrics.out.value, rate(summary.rateOut));
    setAttribute(this.metrics.out.node, "title", `${rate(summary.rateIn)} items/s from its sources, ${rate(summary.rateOut)} items/s come to its ends`);
    setText(this.metrics.p50.value, seconds(summary.latency.p50));
    setText(this.metrics.p99.value, seconds(summary.latency.p99));
    for (const name of ["p50", "p99"]) setAttribute(this.metrics[name].node, "title", summary.end ? `from birth to ${summary.end}, since the start` : null);
    setText(this.metrics.flight.value, count(summary.inFlight));
    setText(this.metrics.lost.value, count(summary.lost));
    setText(this.metrics.failed.value, count(summary.failed));
    setClass(this.metrics.lost.node, "warn", summary.lost > 0);
    setClass(this.metrics.failed.node, "bad", summary.failed > 0);
  }

  sentence(limit, process) {
    const ended = process.ended || ["stopped", "failed"].includes(process.state);
    const text = ended ? `${process.process} has ended; these are its last figures.` : (limit?.text || limit?.why || "Measuring …");
    setText(this.limit.what, ended ? "ended" : (LABELS[limit?.limit] ?? "limit"));
    setAttribute(this.limit.line, "data-limit", ended ? "" : (limit?.limit ?? ""));
    setText(this.limit.text, text);
    setAttribute(this.limit.line, "title", text);
    setText(this.limit.advice, !ended && limit?.advice && !text.includes(limit.advice) ? limit.advice : "");
  }

  async pause() {
    const { process } = this.store;
    const verb = process.state === "paused" ? "resume" : "pause";
    const told = verb === "pause" ? `${process.process} is paused` : `${process.process} goes on`;
    const answer = await attempt(told, () => ofProcess(process.id, verb), this.verbs.pause);
    this.store.answered(answer?.segments);
  }

  async drain() {
    const { process } = this.store;
    const text = "Its sources end now, what is under way is finished, then it stops. It can't be taken back.";
    if (await ask(`Drain ${process.process}?`, text, "Drain", { danger: false }))
      await attempt(`${process.process} is drained`, () => ofProcess(process.id, "drain"), this.verbs.drain);
  }

  async stop() {
    const { process } = this.store;
    if (await ask(`Stop ${process.process}?`, "What is under way is given up; each unit is closed.", "Stop"))
      await attempt(`${process.process} stops`, () => ofProcess(process.id, "stop"), this.verbs.stop);
  }

  async kill() {
    const { process } = this.store;
    const text = `Its ${process.segments.length} OS process${process.segments.length > 1 ? "es end" : " ends"} at once, without closing anything.`;
    if (await ask(`Kill ${process.process}?`, text, "Kill"))
      await attempt(`${process.process} is killed`, () => ofProcess(process.id, "kill"), this.verbs.kill);
  }
}

function metric(label) {
  const value = el("span", { class: "number", text: "–" });
  return { value, node: el("div", { class: "metric" }, value, el("span", { class: "label", text: label })) };
}
