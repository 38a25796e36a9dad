// The ways in which a person gives a photo: choosing, taking, dropping and pasting one.

import { byId } from "./elements.js";

/** Call `given` with each photo's File, and `refused` with words where there is none. */
export function takeIn(given, refused) {
  for (const id of ["choose", "take"]) {
    const input = byId(id);
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that the same file can be chosen again
      if (file) given(file);
    });
  }
  document.addEventListener("paste", (event) => {
    const file = photoIn(event.clipboardData);
    if (file) given(file);
    else if (!event.target.closest?.("input, select")) refused("There is no picture in what was pasted.");
  });
  dropped(given, refused);
}

function dropped(given, refused) {
  const veil = byId("drop");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // else the browser would leave the page for the file
    event.dataTransfer.dropEffect = "copy";
    veil.hidden = !carriesFiles(event);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    veil.hidden = true;
    const file = photoIn(event.dataTransfer);
    if (file) given(file);
    else refused("What was dropped is no file. Save the picture first, then drop the file.");
  });
}

/** The first picture; of files that are none the first, so that the service says what is wrong with it. */
function photoIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0];
}
