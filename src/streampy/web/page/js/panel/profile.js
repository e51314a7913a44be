// Where a unit's calls spend their time: sampled for a few seconds, drawn as an icicle.

import { ofUnit } from "../api.js";
import { button, el, setText } from "../dom.js";
import { flame } from "./flame.js";
import { part } from "./part.js";

export function profilePart(store, unit) {
  const time = el("select", { "aria-label": "Seconds" }, ...[1, 2, 5, 10].map((value) => el("option", { value, text: `${value} s` })));
  time.value = "2";
  const told = el("span", { class: "told", role: "status" });
  const result = el("div", {});
  const start = button("Profile", run, { class: "main", data: { do: "profile" } });
  const section = part("Profile", el("div", { class: "form-foot" }, start, time, told), result);

  async function run() {
    start.disabled = true;
    setText(told, `samples its calls for ${time.value} s …`);
    try {
      const answers = await ofUnit(store.process.id, unit.id, "profile", { seconds: Number(time.value), interval: 0.01 });
      const stacks = {};
      for (const answer of Object.values(answers))
        for (const [stack, count] of Object.entries(answer?.stacks ?? {})) stacks[stack] = (stacks[stack] ?? 0) + count;
      const empty = Object.keys(stacks).length === 0;
      setText(told, empty ? "it did nothing in that time" : "");
      result.replaceChildren(...(empty ? [] : [flame(stacks)]));
    } catch (error) {
      setText(told, error.message);
    } finally {
      start.disabled = false;
    }
  }
  return section;
}
