// Handle keys that work wherever the focus is, except those that an input method or a dialog handles.
import { get, send } from "./store.js";

const letters = {
  m: () => send("toggle", { kind: "microphone" }),
  v: () => send("toggle", { kind: "camera" }),
  b: () => send("blur"),
  f: () => send("full"),
  n: () => send("next"),
};
const writing = (node) => node.matches?.("input, textarea, select");

/** Escape: leave full screen first, as in browsers that handle the key themselves; else, in a call, hide the partner at once. */
function escaped({ chat, video }) {
  if (chat.call && video.full) return send("full");
  if (chat.call) send("blur");
  return send("leave");
}

const table = {
  ready: { Escape: () => send("ready.stop") },
  home: { Enter: () => send("start", { mode: "text" }) },
  waiting: { Escape: () => send("stop") },
  chat: { Escape: escaped },
  ended: { Escape: (state) => send(state.ended.count === null ? "meet" : "count.stop", { key: true }) },
};

/** Return the letter pressed with Alt alone; on a Mac some letters begin an accent, so the key code decides. */
const withAlt = ({ altKey, ctrlKey, metaKey, repeat, isComposing, key, code }) =>
  altKey && !ctrlKey && !metaKey && !repeat && !isComposing && (/^[a-z]$/i.test(key) ? key.toLowerCase() : code.slice(3).toLowerCase());
const ALT = { n: { chat: () => send("next"), ended: () => send("meet") }, q: { chat: () => send("quote") }, r: { chat: () => send("react.open") }, p: { chat: () => send("photo.key") }, b: { chat: () => send("next.back"), waiting: () => send("next.back"), ended: () => send("next.back") } };

export const composing = (event) => event.isComposing || event.keyCode === 229;

export function watchKeys() {
  addEventListener("keydown", (event) => {
    const state = get();
    const alt = state && !state.sheet && state.chat?.role !== "spy" && ALT[withAlt(event)]?.[state.phase];
    if (alt) {
      event.preventDefault();
      return alt();
    }
    if (!state || state.sheet || composing(event) || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const letter =
      state.chat?.call &&
      state.phase === "chat" &&
      state.prefs.letters &&
      !event.repeat &&
      !writing(event.target) &&
      letters[event.key.toLowerCase()];
    if (letter) return letter();
    const act = table[state.phase]?.[event.key];
    if (!act || (event.key === "Enter" && event.target !== document.body) || (event.key === "Escape" && event.repeat)) return;
    event.preventDefault();
    act(state);
  });
}
