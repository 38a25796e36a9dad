// Asks for the service's API key when one is needed; it is kept until the tab is closed.

import { byId } from "./elements.js";
import { forgetKey, hasKey, keepKey } from "./service.js";

/** Ask for a key; resolves when one was given, and says so where the last one was not taken. */
export function askForKey() {
  const dialog = byId("key");
  const field = byId("key-field");
  byId("key-words").textContent = hasKey()
    ? "The service did not take this key. Try another one."
    : "It is kept until this tab is closed.";
  forgetKey();
  field.value = "";
  if (!dialog.open) dialog.showModal();
  dialog.oncancel = (event) => event.preventDefault(); // without a key there is nothing to go back to
  return new Promise((resolve) => {
    byId("key-form").onsubmit = () => {
      keepKey(field.value.trim());
      resolve();
    };
  });
}
