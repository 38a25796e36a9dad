// The page as a whole: which search is on show, the newest search wins, and the way back to the one before.

import * as cards from "./cards.js";
import * as comparison from "./compare.js";
import { byId } from "./elements.js";
import * as insight from "./insight.js";
import { takeIn } from "./intake.js";
import { askForKey } from "./key_dialog.js";
import * as photoView from "./photo_view.js";
import * as problems from "./problems.js";
import { productsOf, reranked } from "./ranking.js";
import * as refine from "./refine.js";
import { pictureAddress, Problem, readBundle, searchByPhoto, searchByProduct } from "./service.js";
import { counted, listed, percent } from "./wording.js";

const WIDE = "(min-width: 60rem)";
const NEVER = { place: -1 };
const MOST_NAMED = 3; // categories
const SAY_WAIT_MS = 500; // while a slider is on its way

// A view is one search: its source (a photo's File or a product), the box, the options and, in time, the answer.
const views = [];
let place = NEVER.place;
let bundle = null;
let newest = new AbortController();
let shown = {}; // what the photo's panel shows: { source, box }
let chosen = []; // items to be compared
let saying = 0;

/** Learn what is searched; asks for a key until one is taken. */
async function learn() {
  let told = await readBundle();
  while (!("version" in told)) {
    await askForKey();
    told = await readBundle();
  }
  bundle = told;
  const among = counted(bundle.categories.length, "category", "categories");
  byId("catalogue").textContent = `${counted(bundle.products, "product")} in ${among}`;
  refine.fill(bundle);
}

/** Begin a search of its own, with a way back to the one before; one that has no answer is not gone back to. */
function open(source, box = null) {
  const answered = place === NEVER.place || views[place].answer !== null;
  views.length = answered ? place + 1 : place;
  place = views.length;
  views.push({ source, box, options: { ...refine.options(), category: "" }, answer: null });
  if (answered) history.pushState({ place }, "");
  refine.write(views[place].options);
  scrollTo(0, 0);
  ask();
}

/** Search what is on show anew; a search that is still under way is given up. */
async function ask() {
  newest.abort();
  newest = new AbortController();
  const { signal } = newest;
  const view = views[place];
  const started = performance.now();
  begin();
  try {
    if (!bundle) await learn();
    await showSource(view, signal);
    const answer = await requested(view, signal);
    if (signal.aborted) return;
    Object.assign(view, { answer, wanted: refine.count(), waitedMs: performance.now() - started });
    problems.ended();
    const afresh = shown.answered !== view;
    showAnswer(view);
    if (afresh && view.source.kind === "product") byId("results-title").focus();
    if (answer.bundle.version !== bundle.version) await learn().then(reweigh);
  } catch (problem) {
    if (signal.aborted) return;
    await failed(problem);
  }
}

function begin() {
  document.body.dataset.state = "found";
  byId("found").hidden = false;
  byId("nothing").hidden = true;
  problems.clear();
  choose([]);
  cards.wait();
  showBack();
  byId("summary").textContent = "Searching …";
  say("Searching");
}

async function requested(view, signal) {
  const { source, box } = view;
  view.options = refine.options();
  if (source.kind === "product") {
    return searchByProduct(source.id, refine.fields(new URLSearchParams(), view.options), { signal });
  }
  await readable(source.file);
  const form = refine.fields(new FormData(), view.options);
  form.append("file", source.file);
  if (box) form.append("box", box.join(","));
  return searchByPhoto(form, {
    signal,
    tell: (event) => {
      if (signal.aborted) return;
      if (event.event === "cut_out") photoView.showFound(event.photo);
      if (event.event === "route") insight.showRoute(event.categories, event.route);
    },
  });
}

/** What need not be sent to be refused. */
async function readable(file) {
  const most = bundle.limits.bytes;
  if (file.size > most) {
    const detail = `The file has ${(file.size / 1e6).toFixed(1)} MB; at most ${(most / 1e6).toFixed(1)} MB are taken.`;
    throw new Problem({ reason: "file_too_large", detail });
  }
  await file.slice(0, 1).arrayBuffer().catch(() => {
    const detail = "The file can't be read: it was moved, or is a folder. Choose a photo again.";
    throw new Problem({ reason: "gone", detail });
  });
}

async function failed(problem) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) {
    await askForKey();
    return ask();
  }
  cards.clear();
  insight.clear();
  byId("summary").textContent = "";
  say("");
  problems.tell(problem, ask);
}

async function showSource({ source, box }, signal) {
  if (shown.source === source && shown.box === box) return;
  const address = source.kind === "product" ? await pictureAddress(source.thumb, signal) : "";
  if (signal.aborted) return;
  insight.clear();
  photoView.show(source, box, address);
  shown = { source, box };
}

function showAnswer(view) {
  const { answer } = view;
  shown.answered = view;
  if (answer.photo) photoView.showFound(answer.photo);
  insight.showRoute(answer.categories, answer.route);
  insight.showTimes(answer, view.waitedMs);
  cards.release();
  const results = showCards(view);
  byId("results-title").textContent = view.source.kind === "product" ? "More like it" : "Results";
  byId("summary").textContent = `${counted(results.length, "product")} ${where(view)}`;
  byId("nothing").hidden = results.length > 0;
  const best = results.length ? `, nearest: ${results[0].title}, ${percent(results[0].score)}` : "";
  say(`${counted(results.length, "result")} ${where(view)}${best}`);
}

function showBack() {
  const before = views[place - 1];
  byId("back").hidden = !before;
  byId("back").textContent = before ? `Back to ${nameOf(before, views[place])}` : "";
}

function nameOf({ source, box }, from) {
  if (source.kind === "product") return source.title;
  if (from.source.kind === "product") return "your photo";
  if (from.source !== source) return "the photo before";
  return box ? "the part before" : "the whole photo";
}

function showCards({ answer }) {
  const results = reranked(answer.candidates, refine.weights(), refine.count());
  const more = ({ product_id: id, title, thumb }) => open({ kind: "product", id, title: title || id, thumb });
  cards.show(results, { more, compare });
  return results;
}

function where({ answer: { categories } }) {
  if (categories.length > MOST_NAMED) return `in ${categories.length} categories`;
  return `in ${listed(categories)}`;
}

/** Put the answer on show in order again; more results than it has candidates for take a new search. */
function reweigh() {
  const view = views[place];
  if (!view?.answer) return;
  if (refine.count() > Math.max(view.wanted, productsOf(view.answer.candidates))) {
    ask();
    return;
  }
  const results = showCards(view);
  byId("summary").textContent = `${counted(results.length, "product")} ${where(view)}`;
  clearTimeout(saying);
  const first = results[0];
  saying = setTimeout(() => first && say(`Now first: ${first.title}, ${percent(first.score)}`), SAY_WAIT_MS);
}

function compare(item) {
  const others = chosen.filter(({ row }) => row !== item.row);
  choose(others.length < chosen.length ? others : [...chosen, item]);
  if (chosen.length === 2) comparison.open(chosen, refine.weights(), () => choose([]));
}

function choose(items) {
  chosen = items;
  cards.mark(chosen.map(({ row }) => row));
  byId("tray").hidden = chosen.length !== 1;
  if (chosen.length !== 1) return;
  byId("tray-words").textContent = `${chosen[0].title} is chosen: choose another one to compare it with.`;
  say(byId("tray-words").textContent);
}

/** The browser's own way back, and forward. */
async function goTo({ place: wanted }) {
  newest.abort();
  comparison.close();
  const left = views[place]?.source;
  place = wanted in views ? wanted : NEVER.place;
  problems.clear();
  choose([]);
  const view = views[place];
  if (!view) {
    document.body.dataset.state = "start";
    byId("found").hidden = true;
    cards.clear();
    photoView.forget();
    shown = {};
    return;
  }
  refine.write(view.options);
  if (!view.answer) {
    ask();
    return;
  }
  document.body.dataset.state = "found";
  byId("found").hidden = false;
  newest = new AbortController();
  showBack();
  await showSource(view, newest.signal);
  showAnswer(view);
  (cards.moreButton(left?.id) ?? byId("results-title")).focus();
}

function say(words) {
  byId("status").textContent = words;
}

function start() {
  history.replaceState(NEVER, "");
  addEventListener("popstate", (event) => goTo(event.state ?? NEVER));
  byId("back").addEventListener("click", () => history.back());
  byId("tray-cancel").addEventListener("click", () => choose([]));
  const wide = matchMedia(WIDE);
  const unfold = () => ["refine", "times"].forEach((id) => (byId(id).open = wide.matches));
  wide.addEventListener("change", unfold);
  unfold();
  refine.start({ reweigh, again: () => views[place] && ask() });
  photoView.start((box) => open(views[place].source, box));
  takeIn(
    (file) => open({ kind: "photo", file }),
    (words) => problems.tell(new Problem({ detail: words })),
  );
  const first = () => learn().catch((problem) => problems.tell(problem, first));
  first();
}

start();
