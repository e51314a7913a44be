// Figures as people read them. Seconds, items and bytes come in.

export function count(value) {
  if (!known(value)) return "–";
  if (value >= 1e9) return `${short(value / 1e9)} G`;
  if (value >= 1e6) return `${short(value / 1e6)} M`;
  if (value >= 1e4) return `${short(value / 1e3)} k`;
  return String(Math.round(value));
}

/** Items a second, without the unit. */
export function rate(value) {
  if (!known(value)) return "–";
  if (value >= 1e4) return count(value);
  return value >= 100 ? String(Math.round(value)) : short(value);
}

export function seconds(value) {
  if (!known(value)) return "–";
  if (value === 0) return "0 ms";
  if (value < 1e-3) return `${short(value * 1e6)} µs`;
  if (value < 1) return `${short(value * 1e3)} ms`;
  if (value < 120) return `${short(value)} s`;
  return span(value);
}

/** Two durations in the unit of the second: "3.1 / 5 ms". */
export function pair(first, second) {
  if (!known(first) || !known(second)) return "–";
  const [high, unit] = seconds(second).split(" ");
  const per = { "µs": 1e6, ms: 1e3, s: 1 }[unit];
  return per ? `${short(first * per)} / ${high} ${unit}` : `${seconds(first)} / ${seconds(second)}`;
}

/** In as few letters as may be: "1.5k". */
export function tiny(value) {
  if (value < 1e3) return String(value);
  return value < 1e6 ? `${Math.round(value / 100) / 10}k` : `${Math.round(value / 1e5) / 10}M`;
}

/** How long something has run. */
export function span(value) {
  if (!known(value)) return "–";
  const whole = Math.floor(value);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  if (minutes) return `${minutes} min ${whole % 60} s`;
  return `${whole} s`;
}

export function share(value) {
  return known(value) ? `${Math.round(value * 100)} %` : "–";
}

export function bytes(value) {
  if (!known(value)) return "–";
  if (value >= 1e9) return `${short(value / 1e9)} GB`;
  if (value >= 1e6) return `${short(value / 1e6)} MB`;
  if (value >= 1e3) return `${short(value / 1e3)} kB`;
  return `${Math.round(value)} B`;
}

export function clock(at) {
  const time = new Date(at * 1000);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** A value of a setting or a plan, as one would write it. */
export function value(of) {
  if (of === null || of === undefined) return "–";
  if (typeof of === "string") return of;
  return JSON.stringify(of);
}

function short(number) {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return String(Number(number.toFixed(digits)));
}

function known(number) {
  return typeof number === "number" && Number.isFinite(number);
}
