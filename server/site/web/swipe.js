// Search for the next stranger when a finger swipes over a chat, against the direction of reading; the second swipe moves on. After the end
// of a chat one is enough.
import { get, send } from "./store.js";

const LEAST = 72; // px
const EDGE = 24; // px: a swipe from there is the back gesture of the browser
const LONGEST = 700; // ms: a longer one holds, or selects text

let begun = null;

function start({ touches, target, timeStamp }) {
  const [{ clientX: x, clientY: y }] = touches;
  const over = target.closest?.(".middle, .frame") && !target.closest("button:not(.openers button), input, .gate");
  begun = touches.length === 1 && over && x > EDGE && x < innerWidth - EDGE ? { x, y, at: timeStamp } : null;
}

function end({ changedTouches: [{ clientX, clientY }], timeStamp }) {
  if (!begun) return;
  const { x, y, at } = begun;
  begun = null;
  const way = (clientX - x) * (document.documentElement.dir === "rtl" ? 1 : -1);
  if (way < LEAST || way < 2 * Math.abs(clientY - y) || timeStamp - at > LONGEST || !getSelection().isCollapsed) return;
  const { phase, chat, sheet } = get();
  if (sheet || chat?.role === "spy") return;
  if (phase === "chat") send("next", { by: "swipe" });
  else if (phase === "ended") send("meet");
}

addEventListener("touchstart", start, { passive: true });
addEventListener("touchend", end, { passive: true });
addEventListener("touchcancel", () => (begun = null), { passive: true });
