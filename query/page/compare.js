// Two results side by side: each part's value, what it adds under the weights that count now, and who is ahead by what.

import { bar, byId, element } from "./elements.js";
import { fillPicture } from "./cards.js";
import { contributions, scoreOf } from "./ranking.js";
import { listed, PART_NAMES, PARTS, percent, points, price } from "./wording.js";

const SAME = 0.0005; // of a score: less is not worth a word

const dialog = byId("compare");

/** Open the dialog on two items; focus goes back to where it was when it is closed. */
export function open(pair, weights, closed) {
  const close = element("button", { type: "button", className: "quiet close", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    element("div", { className: "heading" }, element("h2", { id: "compare-title" }, "Side by side"), close),
    element("p", { className: "verdict" }, verdict(pair, weights)),
    table(pair, weights),
  );
  dialog.onclose = closed;
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  dialog.showModal();
}

export const close = () => dialog.close();

/** One sentence: who is ahead, and which parts make it so. */
function verdict(pair, weights) {
  const [first, second] = pair.map((item) => item.title || item.product_id);
  const gated = pair.map((item) => !item.parts.passed_color_gate);
  const lead = scoreOf(pair[0], weights) - scoreOf(pair[1], weights);
  if (gated[0] !== gated[1]) {
    return `${gated[0] ? second : first} comes first: the other's colour is too far from the photo's.`;
  }
  if (Math.abs(lead) < SAME) return "Both are equally near.";
  const [ahead, sign] = lead > 0 ? [first, 1] : [second, -1];
  const added = pair.map((item) => contributions(item, weights));
  const gains = PARTS.map((part) => [part, sign * (added[0][part] - added[1][part])]);
  const helps = gains.filter(([, gain]) => gain >= SAME).sort((one, other) => other[1] - one[1]);
  const costs = gains.filter(([, gain]) => gain <= -SAME);
  const told = (list) => list.map(([part, gain]) => `${PART_NAMES[part].toLowerCase()} (${points(Math.abs(gain))})`);
  const lost = costs.length ? `, though it is behind in ${listed(told(costs))}` : "";
  return `${ahead} is ahead by ${points(Math.abs(lead))} points, by its ${listed(told(helps))}${lost}.`;
}

function table(pair, weights) {
  const added = pair.map((item) => contributions(item, weights));
  const heads = pair.map((item) => {
    const picture = element("img", { alt: "", width: 192, height: 192 });
    fillPicture(picture, item.thumb);
    const title = element("span", { className: "title" }, item.title || item.product_id);
    return element("th", { scope: "col" }, picture, title, soft(price(item)));
  });
  const rows = PARTS.map((part) => {
    const cells = pair.map((item, place) =>
      element(
        "td",
        {},
        element("span", { className: "value" }, percent(item.parts[part])),
        bar(item.parts[part], part),
        soft(`${points(added[place][part])} points`),
      ),
    );
    const name = element("th", { scope: "row" }, PART_NAMES[part], soft(`counts ${percent(weights[part])}`));
    return element("tr", {}, name, ...cells, ahead(added[0][part] - added[1][part]));
  });
  const scores = pair.map((item) => scoreOf(item, weights));
  const total = element(
    "tr",
    { className: "total" },
    element("th", { scope: "row" }, "In all"),
    ...scores.map((score) => element("td", {}, element("span", { className: "value" }, percent(score)))),
    ahead(scores[0] - scores[1]),
  );
  const caption = element("caption", { className: "unseen" }, "Each part of both similarities");
  const corner = element("td", {});
  const last = element("th", { scope: "col", className: "ahead" }, "Ahead");
  return element(
    "table",
    { className: "comparison" },
    caption,
    element("thead", {}, element("tr", {}, corner, ...heads, last)),
    element("tbody", {}, ...rows, total),
  );
}

function ahead(lead) {
  const who = Math.abs(lead) < SAME ? "even" : lead > 0 ? "left" : "right";
  const by = who === "even" ? "" : `by ${points(Math.abs(lead))}`;
  return element("td", { className: `ahead ${who}` }, element("strong", {}, who), soft(by));
}

const soft = (words) => element("span", { className: "soft" }, words);
