// The photo that is searched, what was cut out of it, and the parts of it that may be searched alone.

import { boxWords, CropBox } from "./crop_box.js";
import { byId, element } from "./elements.js";

const WHOLE = [0, 0, 1, 1];
const MOST_THINGS = 6;
const FLAG_WORDS = {
  full_frame: "No product stood out, so the whole photo was searched.",
  touches_border: "The product runs out of the photo: one that shows all of it finds more.",
};

const cutOut = byId("cut-out");
const photo = byId("photo");
const stage = byId("stage");
let crop;
let held = "";
let found = WHOLE;
let searchPart;

/** `search` is called with a box to be searched, or null for the whole photo. */
export function start(search) {
  searchPart = search;
  const part = () => search(crop.box);
  crop = new CropBox(stage, { changed: say, search: part, leave });
  byId("adjust").addEventListener("click", () => (crop.shown ? leave() : enter()));
  byId("search-part").addEventListener("click", part);
  byId("whole").addEventListener("click", () => search(null));
  photo.addEventListener("error", () => {
    photo.hidden = true;
    byId("photo-tools").hidden = true;
  });
}

/** Show a photo (a File) before anything is known of it, or the picture of a catalogue's own product. */
export function show(source, box, address) {
  const own = source.kind === "product";
  if (held) URL.revokeObjectURL(held);
  held = own ? (address.startsWith("blob:") ? address : "") : URL.createObjectURL(source.file);
  photo.hidden = false;
  photo.src = own ? address : held;
  photo.alt = own ? source.title : "Your photo";
  byId("photo-title").textContent = own ? `More like ${source.title}` : "Your photo";
  byId("photo-tools").hidden = own;
  byId("whole").hidden = box === null;
  cutOut.hidden = true;
  found = box ?? WHOLE;
  note("");
  things([]);
  crop.hide();
  tools(false);
}

/** Show what was found in the photo. */
export function showFound(told) {
  const picture = cutOut.querySelector("img");
  picture.src = told.cut_out;
  cutOut.hidden = false;
  const parts = told.things.slice(0, MOST_THINGS);
  found = parts.length === 1 ? parts[0] : told.box;
  things(parts.length > 1 ? parts : []);
  const unseen = photo.hidden ? ["This browser can't show the photo's format; the search reads it all the same."] : [];
  note([...unseen, ...told.mask_flags.map((flag) => FLAG_WORDS[flag])].filter(Boolean).join(" "));
}

/** Give the photo's memory back. */
export function forget() {
  if (held) URL.revokeObjectURL(held);
  held = "";
  photo.removeAttribute("src");
}

function things(boxes) {
  for (const old of stage.querySelectorAll(".thing")) old.remove();
  boxes.forEach((box, place) => {
    const [left, top, right, bottom] = box;
    const name = `Search thing ${place + 1} of ${boxes.length}: ${boxWords(box)}`;
    const properties = { type: "button", className: "thing", "aria-label": name, onclick: () => searchPart(box) };
    const thing = element("button", properties, element("span", {}, String(place + 1)));
    thing.style.setProperty("left", `${100 * left}%`);
    thing.style.setProperty("top", `${100 * top}%`);
    thing.style.setProperty("width", `${100 * (right - left)}%`);
    thing.style.setProperty("height", `${100 * (bottom - top)}%`);
    stage.append(thing);
  });
}

function enter() {
  tools(true);
  crop.show(found);
}

function leave() {
  crop.hide();
  tools(false);
  byId("adjust").focus();
}

function tools(cropping) {
  stage.classList.toggle("cropping", cropping);
  byId("adjust").setAttribute("aria-expanded", String(cropping));
  byId("adjust").textContent = cropping ? "Cancel" : "Choose a part";
  byId("search-part").hidden = !cropping;
  byId("crop-help").hidden = !cropping;
  byId("crop-status").textContent = "";
}

function say(box) {
  byId("crop-status").textContent = `The box is from ${boxWords(box)}`;
}

function note(words) {
  byId("photo-note").textContent = words;
  byId("photo-note").hidden = !words;
}
