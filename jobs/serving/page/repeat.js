// What views share that show the state of something again and again.

import { make } from "./text.js";

const REFRESH = 3000;

// Until the page is left; a failure is shown in place of what is old.
export async function repeat(element, life, draw) {
  while (!life.aborted) {
    try {
      const made = await draw();
      if (!life.aborted && !element.contains(document.activeElement)) element.replaceChildren(...made.filter((part) => part !== null));
    } catch (error) {
      if (!life.aborted) element.replaceChildren(make("p", { class: "bad" }, error.message));
    }
    await new Promise((done) => setTimeout(done, REFRESH));
  }
}

export function note(found) {
  return found.status === "live" ? null : make("p", { class: "warn" }, `${found.status}: ${found.why}`);
}
