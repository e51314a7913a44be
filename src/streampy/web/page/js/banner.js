// Says that the connection is lost, and when it is tried again.

import { button, el, setClass, setText } from "./dom.js";

export function banner(host, store, again) {
  const text = el("span", {});
  host.append(text, button("Try now", again));
  let timer = 0;
  const draw = () => {
    clearInterval(timer);
    host.hidden = store.connected || store.retry === undefined;
    setClass(host, "bad", true);
    document.body.classList.toggle("lost", !store.connected);
    if (host.hidden) return;
    const until = Date.now() + store.retry;
    const tell = () => setText(text, `The connection is lost; what is shown is old. Next try in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s.`);
    tell();
    timer = setInterval(tell, 500);
  };
  store.on("connected", draw);
  draw();
}
