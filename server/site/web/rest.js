// Load the rest of the page: words, style and decisions that the first screen does not need. Once; when they are first needed, or as soon
// as a search begins, so that a report never waits for the network.
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

/** Resolves when everything is loaded; rejects if it cannot be, and is tried again the next time. */
export const rest = () =>
  (asked ??= Promise.all([
    import("./reduce/rest.js"),
    loadRest(),
    styled("second"), // chat.css and rest.css: the server bundles them, as it does the modules below (server/site/front/page_bundle.py)
    import("./remember.js"), // a resumed chat waits for it
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
