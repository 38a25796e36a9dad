// The box that a person lays over a photo: by pointer, by keyboard. It knows fractions of the photo and nothing else.

import { element } from "./elements.js";

const LEAST = 0.05; // of the photo's width and height
const STEP = 0.02;
const CORNERS = [
  ["top left", 0, 1],
  ["top right", 2, 1],
  ["bottom left", 0, 3],
  ["bottom right", 2, 3],
]; // with the sides of the box that each moves: left, top, right and bottom are 0 to 3

export class CropBox {
  #box = [0, 0, 1, 1];
  #frame;
  #body;
  #layer;
  #changed;

  /** Lies over `frame`, which the photo fills; `changed` hears of every box, `search` of Enter, `leave` of Escape. */
  constructor(frame, { changed, search, leave }) {
    this.#frame = frame;
    this.#changed = changed;
    const described = { "aria-describedby": "crop-help" };
    this.#body = element("button", { type: "button", className: "crop-body", "aria-label": "The box", ...described });
    const corners = CORNERS.map(([name, across, down]) => {
      const label = `${name[0].toUpperCase()}${name.slice(1)} corner`;
      const className = `crop-corner ${name.replace(" ", "-")}`;
      const corner = element("button", { type: "button", className, "aria-label": label, ...described });
      this.#follow(corner, (by) => this.#moveCorner(across, down, by));
      return corner;
    });
    this.#follow(this.#body, (by, resizes) => (resizes ? this.#moveCorner(2, 3, by) : this.#move(by)));
    const box = element("div", { className: "crop-box" }, this.#body, ...corners);
    const label = { role: "application", "aria-label": "Part of the photo to search" };
    this.#layer = element("div", { className: "crop", hidden: true, ...label }, box);
    this.#layer.addEventListener("keydown", (event) => {
      if (event.key === "Enter") search();
      else if (event.key === "Escape") leave();
      else return;
      event.preventDefault();
    });
    this.#layer.addEventListener("pointerdown", (event) => {
      if (event.target === this.#layer) this.#draw(event);
    });
    frame.append(this.#layer);
  }

  /** Left, top, right and bottom as fractions of the photo. */
  get box() {
    return this.#box;
  }

  set box(box) {
    this.#box = box.map((side) => Math.round(10000 * side) / 10000);
    const [left, top, right, bottom] = this.#box;
    const { style } = this.#layer.firstChild;
    style.setProperty("left", `${100 * left}%`);
    style.setProperty("top", `${100 * top}%`);
    style.setProperty("width", `${100 * (right - left)}%`);
    style.setProperty("height", `${100 * (bottom - top)}%`);
    this.#changed(this.#box);
  }

  get shown() {
    return !this.#layer.hidden;
  }

  show(box) {
    this.box = box;
    this.#layer.hidden = false;
    this.#body.focus();
  }

  hide() {
    this.#layer.hidden = true;
  }

  #move([across, down]) {
    const [left, top, right, bottom] = this.#box;
    const x = clamp(across, -left, 1 - right);
    const y = clamp(down, -top, 1 - bottom);
    this.box = [left + x, top + y, right + x, bottom + y];
  }

  #moveCorner(across, down, [x, y]) {
    const box = [...this.#box];
    box[across] = clamp(box[across] + x, across ? box[0] + LEAST : 0, across ? 1 : box[2] - LEAST);
    box[down] = clamp(box[down] + y, down === 3 ? box[1] + LEAST : 0, down === 3 ? 1 : box[3] - LEAST);
    this.box = box;
  }

  /** Arrow keys and the pointer move `handle`; shift with an arrow key resizes. */
  #follow(handle, moved) {
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
      if (!by) return;
      event.preventDefault();
      moved(by, event.shiftKey);
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      this.#drag(event, handle, (by) => moved(by, false));
    });
  }

  #draw(event) {
    const { left, top, width, height } = this.#frame.getBoundingClientRect();
    const x = clamp((event.clientX - left) / width, 0, 1 - LEAST);
    const y = clamp((event.clientY - top) / height, 0, 1 - LEAST);
    this.box = [x, y, x + LEAST, y + LEAST];
    this.#drag(event, this.#layer, (by) => this.#moveCorner(2, 3, by));
  }

  #drag(event, target, moved) {
    let last = event;
    const follow = (next) => {
      const { width, height } = this.#frame.getBoundingClientRect();
      moved([(next.clientX - last.clientX) / width, (next.clientY - last.clientY) / height]);
      last = next;
    };
    target.setPointerCapture(event.pointerId);
    target.addEventListener("pointermove", follow);
    const end = () => target.removeEventListener("pointermove", follow);
    target.addEventListener("lostpointercapture", end, { once: true });
  }
}

/** A box in words: "10 % to 60 % across, 5 % to 90 % down". */
export function boxWords(box) {
  const [left, top, right, bottom] = box.map((side) => `${Math.round(100 * side)} %`);
  return `${left} to ${right} across, ${top} to ${bottom} down`;
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
