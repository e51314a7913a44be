// The measures of a drawing, in pixels at zoom 1.

export const BEND = 10; // height of the way that a long link keeps free
export const GAP = { cards: 24, mixed: 16, bends: 8 };
const EDGE = 8; // above the first and below the last port of a card
const MANY = 28; // units: with more of them, cards are low, so that all can be read at once

const WIDE = {
  compact: false,
  card: { width: 184, height: 108, extra: 20 }, // extra: for each input beyond four
  room: { pad: 18, head: 46, gap: 34, foot: 18, track: 12 },
  channel: { fused: 18, least: 46, most: 130, link: 3, wall: 26 },
};
const TIGHT = {
  compact: true,
  card: { width: 184, height: 74, extra: 16 },
  room: { pad: 15, head: 42, gap: 22, foot: 13, track: 10 },
  channel: { fused: 16, least: 42, most: 110, link: 3, wall: 24 },
};

export function sizesFor(units) {
  return units > MANY ? TIGHT : WIDE;
}

export function cardHeight(card, inputs) {
  return card.height + card.extra * Math.max(0, inputs - 4);
}

/** How far below the top of a card of this height port `index` of `count` is. */
export function portOffset(height, index, count) {
  return EDGE + ((height - 2 * EDGE) * (index + 0.5)) / Math.max(1, count);
}
