// What the page asks of the service, and what can go wrong with it. Every request goes to the page's own origin.

const KEY = "lookbook-key";
const NDJSON = "application/x-ndjson";

/** Something went wrong that a person can be told about. */
export class Problem extends Error {
  constructor({ status = 0, reason = "", title = "", detail = "", retryAfterS = null }) {
    super(detail || title);
    this.status = status;
    this.reason = reason;
    this.title = title;
    this.retryAfterS = retryAfterS;
  }
}

/** Keep the key until the tab is closed. */
export const keepKey = (key) => sessionStorage.setItem(KEY, key);
export const forgetKey = () => sessionStorage.removeItem(KEY);
export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** What is searched: see GET /bundle. */
export async function readBundle() {
  return (await asked("/bundle", { cache: "no-store" })).json();
}

/** Search with a photo; `tell` is called with each event as it comes. Returns the whole answer. */
export async function searchByPhoto(form, { signal, tell }) {
  const answer = await asked("/search", { method: "POST", body: form, signal, headers: { Accept: NDJSON } });
  for await (const event of eventsOf(answer)) {
    if (event.event === "problem") throw new Problem({ ...event, ...(event.problem ?? {}) });
    if (event.event === "results") return event;
    tell(event);
  }
  throw new Problem({ reason: "cut_off", detail: "The answer was cut off before the results came." });
}

/** Products like one of the catalogue's own. */
export async function searchByProduct(productId, query, { signal }) {
  return (await asked(`/products/${encodeURIComponent(productId)}/similar?${query}`, { signal })).json();
}

/** A picture's address for an img: where a key is needed its bytes are fetched with it, and the caller revokes it. */
export async function pictureAddress(address, signal) {
  if (!hasKey()) return address;
  return URL.createObjectURL(await (await asked(address, { signal })).blob());
}

async function asked(address, options) {
  const headers = new Headers(options.headers);
  if (hasKey()) headers.set("X-API-Key", sessionStorage.getItem(KEY));
  let answer;
  try {
    answer = await fetch(address, { ...options, headers });
  } catch (error) {
    throw lost(error);
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const retry = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  return new Problem({
    title: answer.statusText,
    ...told,
    status: answer.status,
    retryAfterS: Number.isFinite(retry) ? retry : null,
  });
}

async function* eventsOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw lost(error);
    });
    const lines = (kept + (value ?? "")).split("\n");
    kept = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
    if (done) {
      if (kept) yield JSON.parse(kept);
      return;
    }
  }
}

/** A request that was given up stays what it is; all else means that nobody answers. */
function lost(error) {
  if (error.name === "AbortError") return error;
  return new Problem({ reason: "offline", detail: "The service does not answer." });
}
