// The live events of the server. When the connection is lost it says so, and comes back, later each time.
// By WebSocket, for a browser opens only six plain connections to a server, and each page would hold one of them;
// by server-sent events where something on the way lets no WebSocket through.

const EVERY = 0.5; // seconds
const FIRST = 500; // milliseconds
const MOST = 10000;
const SILENCE = 6000; // nothing came for so long: ask whether the server lives, as a cut cable tells nobody

/** @param heard {system, stats, gone}: called with the data   @param told (connected, milliseconds until the next try) */
export function follow(heard, told) {
  let delay = FIRST;
  let line = null; // what is open: {close}
  let timer = 0;
  let watchdog = 0;
  let plain = false;
  let refused = 0; // WebSockets that never opened

  function open() {
    close();
    const own = plain ? events(got) : socket(got);
    line = own;
    watch();

    function got(what, data) {
      if (line !== own) return;
      if (what === "lost") return lost(own);
      alive();
      if (what in heard) heard[what](data);
    }
  }

  function alive() {
    delay = FIRST;
    refused = -Infinity;
    told(true, 0);
    watch();
  }

  function lost(own) {
    if (line !== own) return;
    refused += 1;
    plain = refused >= 2;
    close();
    told(false, delay);
    timer = setTimeout(open, delay);
    delay = Math.min(MOST, delay * 2);
  }

  function close() {
    line?.close();
    line = null;
    clearTimeout(timer);
    clearTimeout(watchdog);
  }

  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(ask, SILENCE);
  }

  function ask() {
    const asked = line;
    fetch("healthz", { signal: AbortSignal.timeout(SILENCE / 2), cache: "no-store" }).then(
      (answer) => line === asked && (answer.ok ? watch() : lost(asked)),
      () => lost(asked),
    );
  }

  addEventListener("online", open);
  addEventListener("pagehide", close); // a page that the browser keeps for the way back holds no connection
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
  return { again: open };
}

function socket(got) {
  const url = new URL(`api/live?every=${EVERY}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const live = new WebSocket(url);
  live.onopen = () => got("open");
  live.onclose = () => got("lost");
  live.onmessage = (message) => {
    const { event, data } = JSON.parse(message.data);
    got(event, data);
  };
  return live;
}

function events(got) {
  const source = new EventSource(`api/events?every=${EVERY}`);
  source.onopen = () => got("open");
  source.onerror = () => got("lost");
  for (const name of ["system", "stats", "gone"]) source.addEventListener(name, (event) => got(name, JSON.parse(event.data)));
  return source;
}
