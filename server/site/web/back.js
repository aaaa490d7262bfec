// Leave a room by the back button or gesture as by Escape: a room is one step in the history, so that an accidental back leaves neither the
// chat nor the site.
import { get, send, subscribe } from "./store.js";

const OUT = {
  ready: () => send("ready.stop"),
  waiting: () => send("stop"),
  chat: () => send("leave"), // the first press asks, as elsewhere
  ended: () => send("home"),
};

let inside = false;
let leaving = false; // a step of this module is in progress: the history is unchanged until then, and a second step would exit the site

const enter = () => history.state?.room || history.pushState({ room: true }, "");

function look({ phase }) {
  const room = phase in OUT;
  if (room === inside) return;
  inside = room;
  if (!leaving) follow();
}

/** Bring the history in line with the current view. */
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
    follow(); // apply changes made meanwhile
  } else if (inside) {
    enter();
    if (get().sheet) send("close");
    else OUT[get().phase]();
  }
});
subscribe(look);
inside = get().phase in OUT;
follow(); // the room may have been left before this module came
