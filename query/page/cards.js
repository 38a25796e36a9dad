// The results as cards. A card stays the same element while it moves, so that pictures don't flicker.

import { bar, byId, element } from "./elements.js";
import { pictureAddress } from "./service.js";
import { PART_NAMES, PARTS, percent, price, shopAddress } from "./wording.js";

const MOVE_MS = 260;
const PLACEHOLDERS = 10;
const CARD_RATIO = 4 / 5; // as in style.css
const MOST_CUT = 0.1;

const list = byId("cards");
const cards = new Map(); // by row
let addresses = [];
let gone = new AbortController();

/** Show cards for the results of a new answer, or for the same answer in another order. */
export function show(results, { more, compare }) {
  list.removeAttribute("aria-busy");
  list.replaceChildren(...[...list.children].filter((card) => !card.classList.contains("waiting")));
  const before = new Map([...list.children].map((card) => [card, card.getBoundingClientRect()]));
  const shown = results.map((item) => {
    if (!cards.has(item.row)) cards.set(item.row, made(item, more, compare));
    const card = cards.get(item.row);
    update(card, item);
    return card;
  });
  list.replaceChildren(...shown);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) glide(shown, before);
}

/** Show that an answer is on its way; the cards of the last one stay, greyed, until it is there. */
export function wait() {
  list.setAttribute("aria-busy", "true");
  if (list.children.length) return;
  const picture = () => element("div", { className: "picture" });
  const blank = () => element("li", { className: "card waiting", "aria-hidden": "true" }, picture());
  list.replaceChildren(...Array.from({ length: PLACEHOLDERS }, blank));
}

/** Take the cards away, and the memory of their pictures. */
export function clear() {
  list.removeAttribute("aria-busy");
  list.replaceChildren();
  release();
}

/** Forget the cards of the last answer; those in sight stay until others are shown. */
export function release() {
  gone.abort();
  gone = new AbortController();
  addresses.forEach((address) => URL.revokeObjectURL(address));
  addresses = [];
  cards.clear();
}

/** Mark the cards that are being compared. */
export function mark(rows) {
  for (const [row, card] of cards) {
    card.querySelector(".compare").setAttribute("aria-pressed", String(rows.includes(row)));
  }
}

/** The button of a product's card that asks for more like it; null where it has no card. */
export const moreButton = (productId) =>
  [...list.querySelectorAll(".more")].find((button) => button.dataset.product === productId) ?? null;

/** Fill an img with a thumbnail, which may take a key; `addresses` are revoked with the cards. */
export async function fillPicture(picture, thumb) {
  const { signal } = gone;
  try {
    const address = await pictureAddress(thumb, signal);
    if (!address.startsWith("blob:")) picture.src = address;
    else if (signal.aborted) URL.revokeObjectURL(address);
    else addresses.push((picture.src = address));
  } catch (problem) {
    if (problem.name !== "AbortError") picture.dispatchEvent(new Event("error"));
  }
}

/** A thin bar for each part, with its value. */
function partBars(item) {
  const lines = PARTS.map((part) =>
    element(
      "li",
      {},
      element("span", { className: "label" }, PART_NAMES[part]),
      bar(item.parts[part], part),
      element("span", { className: "value" }, percent(item.parts[part])),
    ),
  );
  return element("ul", { className: "bars parts" }, ...lines);
}

function made(item, more, compare) {
  const picture = element("img", { alt: "", loading: "lazy", decoding: "async", width: 192, height: 192 });
  picture.addEventListener("error", () => picture.classList.add("lost"));
  picture.addEventListener("load", () => picture.classList.toggle("whole", !fills(picture)));
  fillPicture(picture, item.thumb);
  const address = shopAddress(item);
  const title = item.title || item.product_id;
  const again = element("button", { type: "button", className: "more", onclick: () => more(item) }, "More like it");
  again.dataset.product = item.product_id;
  again.setAttribute("aria-label", `More like it: ${title}`);
  const beside = element("button", { type: "button", className: "compare", onclick: () => compare(item) }, "Compare");
  beside.setAttribute("aria-pressed", "false");
  beside.setAttribute("aria-label", `Compare ${title}`);
  const link = { href: address, target: "_blank", rel: "noopener noreferrer" };
  const opens = element("span", { className: "unseen" }, " (in a new tab)");
  return element(
    "li",
    { className: "card" },
    element("div", { className: "picture" }, picture, element("span", { className: "similarity" })),
    element("h3", {}, address ? element("a", link, title, opens) : title),
    element(
      "p",
      { className: "facts" },
      element("span", { className: "price" }, price(item)),
      element("span", { className: "soft" }, item.brand || ""),
    ),
    item.parts.passed_color_gate ? null : element("p", { className: "badge" }, "another colour, so it comes last"),
    partBars(item),
    element("div", { className: "actions" }, again, beside),
  );
}

/** Is a picture's shape so near the card's that filling it cuts hardly anything off? */
function fills({ naturalWidth, naturalHeight }) {
  return Math.abs(Math.log(naturalWidth / naturalHeight / CARD_RATIO)) < MOST_CUT;
}

function update(card, item) {
  const hidden = element("span", { className: "unseen" }, "similarity ");
  card.querySelector(".similarity").replaceChildren(hidden, percent(item.score));
}

function glide(shown, before) {
  for (const card of shown) {
    const old = before.get(card);
    if (!old) continue;
    const now = card.getBoundingClientRect();
    const [x, y] = [old.left - now.left, old.top - now.top];
    if (!x && !y) continue;
    const keyframes = [{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }];
    card.animate(keyframes, { duration: MOVE_MS, easing: "cubic-bezier(.2, .7, .2, 1)" });
  }
}
