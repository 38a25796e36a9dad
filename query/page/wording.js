// Numbers, prices, links and the names of things as people read them.

const percentFormat = new Intl.NumberFormat(undefined, { style: "percent" });
const plainFormat = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const pointsFormat = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** The three parts of a score, in the order in which they are shown. */
export const PARTS = ["semantic", "texture", "color"];
export const PART_NAMES = { semantic: "Style", texture: "Texture", color: "Colour" };

export const STAGE_NAMES = {
  decode: "Read the photo",
  segment: "Find the product",
  crop: "Cut it out",
  embed: "Read its style",
  texture: "Read its texture",
  color: "Read its colours",
  route: "Choose the category",
  candidates: "Scan the catalogue",
  rerank: "Weigh the parts",
};

/** A part or a score as per cent; what is less alike than chance counts as 0. */
export const percent = (share) => percentFormat.format(Math.max(0, share));

/** A contribution in points of a hundred, such as "31.9". */
export const points = (share) => pointsFormat.format(100 * share);

/** A time in milliseconds, such as "4.1 ms". */
export const time = (milliseconds) => `${pointsFormat.format(milliseconds)} ms`;

/** A price in its currency; "" where there is none. A currency that is no ISO code is written behind the number. */
export function price(item) {
  if (item.price === null || item.price === undefined) return "";
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency: item.currency }).format(item.price);
  } catch {
    return `${plainFormat.format(item.price)} ${item.currency ?? ""}`.trim();
  }
}

/** The address of a shop's page; "" for anything but http and https. */
export function shopAddress(item) {
  const parsed = URL.canParse(item.url) ? new URL(item.url) : null;
  return parsed && ["http:", "https:"].includes(parsed.protocol) ? parsed.href : "";
}

/** A count with its noun: "1 result", "10 results". */
export const counted = (count, noun, nouns = `${noun}s`) => `${count} ${count === 1 ? noun : nouns}`;

/** Names in a row: "dress, skirt and bag". */
export const listed = (names) => new Intl.ListFormat("en-GB").format(names);
