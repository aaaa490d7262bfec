// The rest of the page: words, style and decisions that the first screen has no use for. Asked for once; with the first thing
// that needs it, or as soon as a search begins, so that a report never waits for the network.
import { learn } from "./reduce.js";
import { send } from "./store.js";
import { loadRest } from "./words.js";

const styled = (name) =>
  new Promise((done, failed) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL(`./style/${name}.css`, import.meta.url).href;
    link.onload = done;
    link.onerror = () => (link.remove(), failed(new Error("no style")));
    document.head.append(link);
  });

let asked = null;

/** Resolves when all is here; rejects where it cannot be had, and is tried anew the next time. */
export const rest = () =>
  (asked ??= Promise.all([
    import("./reduce/rest.js"),
    loadRest(),
    styled("second"), // chat.css and rest.css: the server puts them together, as it does what is asked for here (server/site/front/page_bundle.py)
    import("./remember.js"), // a chat that is come back to waits for it
  ]).then(
    ([decisions]) => {
      learn(decisions);
      send("rest");
    },
    (error) => {
      asked = null;
      throw error;
    },
  ));
