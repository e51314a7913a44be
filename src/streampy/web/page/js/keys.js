// What keys do, wherever the focus is. Fields keep theirs.

export function listen({ graph, store, head, drawer, search, help }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      event.target.blur?.();
      if (store.selected) {
        const unit = store.selected.kind === "unit" ? store.selected.id : null;
        store.select(null);
        if (unit) graph.cards.get(unit)?.focus({ preventScroll: true });
      } else drawer.open(null);
      return;
    }
    if (event.target.closest("input, select, textarea, pre, .drawer-body, #panel")) return;
    const act = actions[event.key];
    if (!act || event.defaultPrevented) return;
    event.preventDefault();
    act(event);
  });

  const arrow = (event) => graph.arrow(event.key);
  const actions = {
    ArrowLeft: arrow, ArrowRight: arrow, ArrowUp: arrow, ArrowDown: arrow,
    "/": search, "?": help,
    p: () => store.process && !store.process.ended && head.pause(),
    f: () => graph.viewport.fit(true),
    "+": () => graph.viewport.by(1.25, undefined, undefined, true),
    "=": () => graph.viewport.by(1.25, undefined, undefined, true),
    "-": () => graph.viewport.by(1 / 1.25, undefined, undefined, true),
    l: () => drawer.open(drawer.tab === "log" ? null : "log"),
    e: () => drawer.open(drawer.tab === "errors" ? null : "errors"),
    t: () => dispatchEvent(new Event("streampy-theme")),
  };

  graph.world.addEventListener("keydown", (event) => {
    const unit = event.target.dataset?.unit;
    if (unit && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      graph.open(unit);
    }
  });
}
