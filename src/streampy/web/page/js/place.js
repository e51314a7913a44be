// What is looked at stands in the address, so that it can be sent to a colleague, and a reload comes back to it.

export function remember(store) {
  const wanted = new URLSearchParams(location.hash.slice(1));
  let restored = false;
  store.on("selected", write);
  store.on("system", () => {
    if (restored || store.processes.size === 0) return;
    restored = true;
    const process = [...store.processes.values()].find((run) => run.id === wanted.get("process") || run.process === wanted.get("process"));
    store.look((process ?? store.processes.values().next().value).id);
    for (const kind of ["unit", "link", "room"]) {
      const what = { kind, id: wanted.get(kind) };
      if (what.id !== null && store.has(what)) store.select(what);
    }
  });

  function write() {
    if (!restored || !store.process) return;
    const place = new URLSearchParams({ process: store.process.process });
    if (store.selected) place.set(store.selected.kind, store.selected.id);
    history.replaceState(null, "", `#${place}`);
  }
}
