// The panel at the side: opens for what is selected, is patched while it is open.

import { linkPanel } from "./link.js";
import { roomPanel } from "./room.js";
import { unitPanel } from "./unit.js";

const KINDS = { unit: unitPanel, link: linkPanel, room: roomPanel };

export class Panel {
  /** @param pin (link id, picture's source or null): shows a picture on the graph */
  constructor(host, store, pin) {
    Object.assign(this, { host, store, pin, open: null });
    store.on("selected", () => this.show());
    store.on("figures", () => this.open?.draw());
  }

  show() {
    this.open?.leave();
    this.open = null;
    const { selected } = this.store;
    this.host.hidden = !selected;
    if (!selected) return this.host.replaceChildren();
    this.open = KINDS[selected.kind](this.store, selected.id, () => this.store.select(null), this.pin);
    this.host.replaceChildren(...this.open.nodes);
    this.host.scrollTop = 0;
    this.open.draw();
  }
}
