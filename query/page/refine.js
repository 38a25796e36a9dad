// What a person may change about a search: the weights, which re-rank at once, and what takes a new search.

import { byId, element } from "./elements.js";
import { normalized } from "./ranking.js";
import { PART_NAMES, PARTS, percent } from "./wording.js";

const HINTS = { semantic: "what it is and how it is cut", texture: "knit, weave, print", color: "hue and shade" };
const SEARCH_WAIT_MS = 350; // while a person is still typing

let own = {}; // the catalogue's weights
let usual = 10; // results, where the person has named no number
let touched = false;
let sliders = {};

/** Fill the form from GET /bundle, keeping what the person has chosen where it is still there. */
export function fill(bundle) {
  const { category, brands } = options();
  own = bundle.weights;
  usual = bundle.results;
  byId("category").replaceChildren(
    element("option", { value: "" }, "Automatic"),
    ...bundle.categories.map((name) => element("option", { value: name }, name)),
  );
  byId("category").value = bundle.categories.includes(category) ? category : "";
  byId("count").value ||= String(bundle.results);
  byId("prices").hidden = !bundle.price;
  if (bundle.price) {
    byId("currency").textContent = bundle.price.currency ? `, ${bundle.price.currency}` : "";
    byId("least").placeholder = bundle.price.least.toFixed(2);
    byId("most").placeholder = bundle.price.most.toFixed(2);
  }
  byId("brands").hidden = !bundle.brands.length;
  byId("brand-checks").replaceChildren(
    ...bundle.brands.map((brand) => {
      const checked = brands.includes(brand);
      const check = element("input", { type: "checkbox", name: "brand", value: brand, checked });
      return element("label", { className: "check" }, check, ` ${brand}`);
    }),
  );
  if (!touched) reset();
  marks();
}

/** `reweigh` is called when only the order changes, `again` when it takes a new search. */
export function start({ reweigh, again }) {
  sliders = Object.fromEntries(PARTS.map((part) => [part, slider(part)]));
  byId("sliders").addEventListener("input", () => {
    touched = true;
    marks();
    reweigh();
  });
  byId("reset").addEventListener("click", () => {
    reset();
    reweigh();
    sliders.semantic.focus(); // the button has just been switched off
  });
  let waiting = 0;
  byId("refine-form").addEventListener("input", (event) => {
    if (event.target.type === "range" || !byId("refine-form").checkValidity()) return;
    marks();
    clearTimeout(waiting);
    waiting = setTimeout(event.target.id === "count" ? reweigh : again, SEARCH_WAIT_MS);
  });
  byId("refine-form").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["clear", "clear-from-nothing"]) {
    byId(id).addEventListener("click", () => {
      write({ ...options(), least: "", most: "", brands: [], inStock: false });
      again();
      byId("results-title").focus();
    });
  }
}

/** The weights that count now, as shares that sum to 1, and the colour gate is the catalogue's. */
export function weights() {
  return normalized(touched ? Object.fromEntries(PARTS.map((part) => [part, Number(sliders[part].value)])) : own);
}

/** How many results are wanted, from 1 to 100. */
export function count() {
  const { validity, valueAsNumber } = byId("count");
  return validity.valid && valueAsNumber ? valueAsNumber : usual;
}

/** What a new search takes; `write` puts it back into the form. */
export function options() {
  return {
    category: byId("category").value,
    least: byId("least").value,
    most: byId("most").value,
    brands: [...document.querySelectorAll("#brand-checks input:checked")].map((check) => check.value),
    inStock: byId("in-stock").checked,
  };
}

export function write({ category, least, most, brands, inStock }) {
  byId("category").value = category;
  byId("least").value = least;
  byId("most").value = most;
  byId("in-stock").checked = inStock;
  for (const check of document.querySelectorAll("#brand-checks input")) check.checked = brands.includes(check.value);
  marks();
}

/** Put options, weights and count into a request's fields. */
export function fields(into, chosen) {
  const { category, least, most, brands, inStock } = chosen;
  if (category) into.append("category", category);
  if (least) into.append("price_min", least);
  if (most) into.append("price_max", most);
  for (const brand of brands) into.append("brand", brand);
  if (inStock) into.append("in_stock", "true");
  for (const [part, share] of Object.entries(touched ? weights() : {})) into.append(part, String(share));
  into.append("k", String(count()));
  into.append("candidates", "true");
  return into;
}

function reset() {
  touched = false;
  for (const part of PARTS) sliders[part].value = String(Math.round(100 * own[part]));
  marks();
}

function slider(part) {
  const id = `weight-${part}`;
  const input = element("input", { type: "range", id, className: part, min: 0, max: 100, step: 1 });
  const shown = element("output", { htmlFor: id, id: `share-${part}` });
  const hint = element("span", { className: "soft" }, HINTS[part]);
  const label = element("label", { htmlFor: id }, PART_NAMES[part], hint);
  byId("sliders").append(element("div", { className: "slider" }, label, shown, input));
  return input;
}

/** Everything in the form that follows from the rest of it. */
function marks() {
  const shares = weights();
  PARTS.forEach((part, place) => {
    byId(`share-${part}`).textContent = percent(shares[part]);
    sliders[part].setAttribute("aria-valuetext", `${percent(shares[part])} of the whole`);
    byId("shares").children[place].style.setProperty("flex-grow", String(shares[part]));
  });
  byId("reset").disabled = !touched;
  const { least, most, brands, inStock } = options();
  byId("clear").hidden = !(least || most || brands.length || inStock);
}
