// Elements made from data: a text is always a text node, so nothing that a feed says becomes markup.

/**
 * An element with properties, attributes (names with a dash, and role) and children; strings become text, null nothing.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} properties
 * @param {...(Node | string | null)} children
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "scope") made.setAttribute(name, String(value));
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** A thin bar, `share` of its width filled, from 0 to 1; what it says stands beside it as text. */
export function bar(share, kind = "") {
  const filled = element("i");
  filled.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
  return element("span", { className: `bar ${kind}`.trim(), "aria-hidden": "true" }, filled);
}
