// What a person reads when something went wrong: what it is, what to do, and a button where trying again may help.

import { byId, element } from "./elements.js";

const ADVICE = {
  not_an_image: "Choose a photo: a JPEG, PNG or WebP file.",
  unsupported_format: "Save it as JPEG, PNG or WebP and choose it again.",
  truncated_image: "The file is not whole. Copy or download it once more.",
  animated_image: "Choose a picture that does not move.",
  empty_file: "The file is empty. Copy or download it once more.",
  file_too_large: "Choose a smaller copy of the photo.",
  too_many_pixels: "Choose a smaller copy of the photo.",
  too_small: "Choose a larger photo, or a larger part of it.",
  offline: "Check that the service runs and that you are connected, then try again.",
  cut_off: "Try again.",
  too_slow: "Try again, or choose a smaller copy of the photo.",
  unknown_product: "It may have left the catalogue. Go back and choose another.",
};
const BUSY = [429, 502, 503, 504];
const WAIT_S = 2;
const MOST_TURNS = 3;

let timer = 0;
let turns = 0;

/** Tell of a problem; `again` tries once more, and does so by itself a few times while the service is only busy. */
export function tell(problem, again) {
  clear();
  const busy = BUSY.includes(problem.status);
  const advice = ADVICE[problem.reason] ?? (busy ? "The service is busy or just starting." : "");
  const words = element("p", {}, [sentence(problem.message), advice].filter(Boolean).join(" "));
  const panel = byId("problem");
  panel.append(element("h2", {}, busy ? "One moment" : "That did not work"), words);
  if (again && (busy || problem.status >= 500 || ["offline", "cut_off", "too_slow"].includes(problem.reason))) {
    const button = element("button", { type: "button", onclick: () => again() }, "Try again");
    panel.append(button);
    if (busy && turns < MOST_TURNS) {
      turns += 1;
      const wait = problem.retryAfterS ?? WAIT_S;
      words.append(` Trying again in ${wait} s.`);
      timer = setTimeout(again, 1000 * wait);
    }
  }
}

const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/** Take back what was told. */
export function clear() {
  clearTimeout(timer);
  byId("problem").replaceChildren();
}

/** A search came to its end: the next busy service is waited for anew. */
export function ended() {
  turns = 0;
}
