// What part of the drawing is seen: pan by dragging, zoom by wheel, pinch or key, or all of it. Knows nothing of what is drawn.

const LEAST = 0.08;
const MOST = 2;
const MARGIN = 26;
const NARROW = 640; // pixels: on a window that narrow not all is shown at once,
const READABLE = 0.42; // but what is shown can be read

export class Viewport {
  /** @param moved called with the zoom after each change */
  constructor(ground, world, moved) {
    Object.assign(this, { ground, world, moved, x: 0, y: 0, zoom: 1, size: { width: 1, height: 1 }, fitted: true });
    this.pointers = new Map();
    ground.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    ground.addEventListener("pointerdown", (event) => this.down(event));
    ground.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) ground.addEventListener(name, (event) => this.up(event));
    new ResizeObserver(() => (this.fitted ? this.fit() : this.apply())).observe(ground);
  }

  fit(smooth = false) {
    const { clientWidth: width, clientHeight: height } = this.ground;
    if (!width || !height) return;
    const zoom = Math.min((width - 2 * MARGIN) / this.size.width, (height - 2 * MARGIN - 40) / this.size.height, 1.25);
    this.zoom = Math.max(width < NARROW ? READABLE : LEAST, zoom);
    this.x = Math.max(MARGIN / 2, (width - this.size.width * this.zoom) / 2);
    this.y = (height - 40 - this.size.height * this.zoom) / 2;
    this.fitted = true;
    this.apply(smooth);
  }

  by(factor, x = this.ground.clientWidth / 2, y = this.ground.clientHeight / 2, smooth = false) {
    const zoom = Math.min(MOST, Math.max(LEAST, this.zoom * factor));
    this.x = x - ((x - this.x) * zoom) / this.zoom;
    this.y = y - ((y - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.fitted = false;
    this.apply(smooth);
  }

  /** Move as little as is needed for the box to be seen. */
  show(box) {
    const { clientWidth: width, clientHeight: height } = this.ground;
    const [left, top] = [box.x * this.zoom + this.x, box.y * this.zoom + this.y];
    const [right, bottom] = [left + box.width * this.zoom, top + box.height * this.zoom];
    const dx = left < MARGIN ? MARGIN - left : Math.min(0, width - MARGIN - right);
    const dy = top < MARGIN ? MARGIN - top : Math.min(0, height - MARGIN - 40 - bottom);
    if (dx === 0 && dy === 0) return;
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.apply(true);
  }

  /** The middle of the view goes there, in the measures of the drawing. */
  centre(x, y) {
    this.x = this.ground.clientWidth / 2 - x * this.zoom;
    this.y = this.ground.clientHeight / 2 - y * this.zoom;
    this.fitted = false;
    this.apply(false);
  }

  seen() {
    const { clientWidth, clientHeight } = this.ground;
    return { x: -this.x / this.zoom, y: -this.y / this.zoom, width: clientWidth / this.zoom, height: clientHeight / this.zoom };
  }

  apply(smooth = false) {
    this.world.classList.toggle("moving", smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.world.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`;
    this.ground.style.backgroundPosition = `${this.x}px ${this.y}px`;
    this.moved(this.zoom);
  }

  wheel(event) {
    event.preventDefault();
    const box = this.ground.getBoundingClientRect();
    const step = event.deltaMode === 1 ? event.deltaY * 18 : event.deltaY;
    this.by(Math.exp(-Math.max(-200, Math.min(200, step)) * 0.0016), event.clientX - box.left, event.clientY - box.top);
  }

  down(event) {
    if (event.button !== 0 || event.target.closest("button, [role=button], .link, .tools")) return;
    this.ground.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.ground.classList.add("dragging");
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    const now = [event.clientX, event.clientY];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const box = this.ground.getBoundingClientRect();
      const factor = Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1]));
      this.by(factor, (now[0] + other[0]) / 2 - box.left, (now[1] + other[1]) / 2 - box.top);
      return;
    }
    this.x += now[0] - before[0];
    this.y += now[1] - before[1];
    this.fitted = false;
    this.apply(false);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (this.pointers.size === 0) this.ground.classList.remove("dragging");
  }
}
