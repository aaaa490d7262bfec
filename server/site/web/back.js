// The way back (a button, a gesture of a phone's edge) leads out of a room as Escape does: it is one step in the history, so a
// stray one leaves neither the chat nor the site.
import { get, send, subscribe } from "./store.js";

const OUT = {
  ready: () => send("ready.stop"),
  waiting: () => send("stop"),
  chat: () => send("leave"), // the first press asks, as everywhere
  ended: () => send("home"),
};

let inside = false;
let leaving = false; // by a step of our own, which has not arrived: the history is what it was, and a second one would leave the site

const enter = () => history.state?.room || history.pushState({ room: true }, "");

function look({ phase }) {
  const room = phase in OUT;
  if (room === inside) return;
  inside = room;
  if (!leaving) follow();
}

/** The history, to where one is. */
function follow() {
  if (inside) enter();
  else if (history.state?.room) {
    leaving = true;
    history.back();
  }
}

addEventListener("popstate", () => {
  if (leaving) {
    leaving = false;
    follow(); // what came between
  } else if (inside) {
    enter();
    if (get().sheet) send("close");
    else OUT[get().phase]();
  }
});
subscribe(look);
look(get());
