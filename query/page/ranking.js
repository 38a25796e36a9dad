// The engine's order, made again in the browser with other weights.
// The engine adds in 32-bit floats, so every step is rounded to one here: else near ties would fall the other way.

import { PARTS } from "./wording.js";

const single = Math.fround;

/** Weights as shares that sum to 1; all at zero count alike. */
export function normalized(weights) {
  const sum = PARTS.reduce((total, part) => total + weights[part], 0);
  return Object.fromEntries(PARTS.map((part) => [part, sum > 0 ? weights[part] / sum : 1 / PARTS.length]));
}

/** What each part adds to an item's score. */
export function contributions(item, weights) {
  return Object.fromEntries(PARTS.map((part) => [part, single(single(weights[part]) * single(item.parts[part]))]));
}

/** An item's score with these weights. */
export function scoreOf(item, weights) {
  const added = contributions(item, weights);
  return single(single(added.semantic + added.texture) + added.color);
}

/** The first `count` products of all candidates: those of another colour last, then by score, ties to the lower row. */
export function reranked(candidates, weights, count) {
  const scored = candidates.map((item) => ({ ...item, score: scoreOf(item, weights) }));
  scored.sort(
    (one, other) =>
      Number(other.parts.passed_color_gate) - Number(one.parts.passed_color_gate) ||
      other.score - one.score ||
      one.row - other.row,
  );
  const best = new Map();
  for (const item of scored) if (!best.has(item.product_id)) best.set(item.product_id, item);
  return [...best.values()].slice(0, count).map((item, place) => ({ ...item, rank: place + 1 }));
}

/** How many products the candidates are of: asking for more than these takes a new search. */
export const productsOf = (candidates) => new Set(candidates.map((item) => item.product_id)).size;
