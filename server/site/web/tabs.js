// Tell the tabs of one browser about each other while they search: they are one user to the server, and are never matched with each other.
import { get, send, subscribe } from "./store.js";

const channel = globalThis.BroadcastChannel ? new BroadcastChannel("searching") : null;
const own = crypto.getRandomValues(new Uint32Array(2)).join("-");
const others = new Set();
let searching = false;

/** Post whether this tab searches. `asks`: the others are to answer. */
const tell = (searches, asks) => channel?.postMessage({ own, searches, asks });

function look({ phase }) {
  if ((phase === "waiting") === searching) return;
  searching = !searching;
  tell(searching, searching);
}

channel?.addEventListener("message", ({ data }) => {
  others[data.searches ? "add" : "delete"](data.own);
  if (data.asks) tell(searching, false);
  send("elsewhere", { on: others.size > 0 });
});
addEventListener("pagehide", () => tell(false, false));
addEventListener("pageshow", ({ persisted }) => persisted && tell(searching, searching));
subscribe(look);
look(get());
