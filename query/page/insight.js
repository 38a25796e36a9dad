// How a search came to its answer: the route with its margin, and the time of each stage, as bars.

import { bar, byId, element } from "./elements.js";
import { percent, STAGE_NAMES, time } from "./wording.js";

const MOST_CATEGORIES = 5;
const cosine = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Show which categories were searched and why; nothing where the person, or a product, named the category. */
export function showRoute(categories, route) {
  byId("route").hidden = !route;
  if (!route) return;
  const value = route.measure === "probabilities" ? percent : (score) => cosine.format(score);
  const [, second] = route.scores;
  const lead = second && route.margin !== null ? `${value(route.margin)} ahead of ${second[0]}` : "";
  const several = categories.length > 1 ? `, only ${lead}: ${categories.length} categories are searched` : "";
  const words = several || (lead && `, ${lead}`);
  byId("route-words").replaceChildren(element("strong", {}, categories[0]), words);
  byId("route-bars").replaceChildren(
    ...route.scores.slice(0, MOST_CATEGORIES).map(([category, score]) => {
      const searched = categories.includes(category);
      return line(category, score, value(score), searched ? "searched" : "");
    }),
  );
}

/** Show what each stage took, and how long the person waited in all. */
export function showTimes(answer, waitedMs) {
  const stages = Object.entries(answer.milliseconds);
  const longest = Math.max(...stages.map(([, taken]) => taken));
  byId("elapsed").textContent = time(answer.elapsed_ms);
  byId("waited").textContent = `${time(waitedMs)} with the way there and back.`;
  byId("times-bars").replaceChildren(
    ...stages.map(([stage, taken]) => line(STAGE_NAMES[stage] ?? stage, taken / longest, time(taken), "time")),
  );
}

/** Nothing is known of the search on show yet. */
export function clear() {
  byId("route").hidden = true;
  byId("elapsed").textContent = "";
  byId("times-bars").replaceChildren();
}

function line(name, share, value, kind) {
  const label = element("span", { className: "label" }, name);
  return element("li", {}, label, bar(share, kind), element("span", { className: "value" }, value));
}
