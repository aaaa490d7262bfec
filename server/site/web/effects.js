// Run the effects that reduce returns. Everything outside the state is changed here, or in the file that is named beside an effect.
import { moveFocus } from "./focus.js";
import { offers } from "./offers.js";
import { forget, keep, keepWay } from "./keep.js";
import { rest } from "./rest.js";
import { get, send, show } from "./store.js";
import { clean } from "./text.js";
import { languageFor, listed, load, t } from "./words.js";

const timers = new Map();
let prompt = null;

/** Put a sentence into a live region that is in the page from the start; the same sentence again is announced again. */
function tell(region, text) {
  const node = document.getElementById(region);
  node.textContent = node.textContent === text ? `${text}\u00a0` : text;
}

/** Format a list value as a list: "a, b and c". */
const said = (values = {}) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? listed(value.map(clean)).join("") : value]),
  );

/** Apply theme and text size; look.js, in the head of each document, does it. */
export const look = (prefs) => dispatchEvent(new CustomEvent("look", { detail: prefs }));

export const keepPrompt = (event) => {
  prompt = event;
};

// Streams and calls are loaded when they are first needed; effects for them wait in order. A camera is requested only when the decisions
// that turn it off are loaded.
let media = null;
function onMedia(effect) {
  if (!media && effect.op !== "ask" && effect.op !== "call") return;
  media ??= rest().then(() => import("./video/media.js"));
  media
    .then(({ act }) => act(effect))
    .catch(() => {
      media = null;
      send("media.failed", { why: "busy" });
    });
}

/** Wait, in order, for the rest to decide an event that only it knows. */
const onRest = ({ event }) =>
  rest()
    .then(() => send(event.type, event))
    .catch(() => send("rest.failed"));

/** Make the effects. `trusted` returns a script address if it may run. */
export function makeEffects(wire, trusted) {
  const run = {
    send: ({ frame }) => wire.send(frame),
    connect: ({ now, attempt, after, soon }) => (now ? wire.open() : wire.later(attempt, after, soon)),
    reopen: () => {
      wire.close();
      wire.open();
    },
    wake: () => wire.wake(),
    ask: () => wire.ask(),
    config: () => void offers().then((config) => send("config", { config })),
    cut: () => wire.cut(),
    say: ({ key, values }) => tell("say", t(key, said(values))),
    unsay: ({ key }) => document.getElementById("say").textContent.trim() === t(key) && tell("say", ""),
    alarm: ({ key }) => tell("alarm", t(key)),
    focus: ({ on }) => moveFocus(on),
    timer({ name, ms }) {
      clearTimeout(timers.get(name));
      timers.set(
        name,
        setTimeout(() => send(`timer.${name}`), ms),
      );
    },
    cancel: ({ name }) => clearTimeout(timers.get(name)),
    keep: (change, state) => keep(state.prefs, change),
    token: (_, state) => keepWay(state.phase === "chat" && !state.prefs.nothing ? state.me.token : null),
    look: (_, state) => look(state.prefs),
    words: (_, state) =>
      void load(languageFor(state.prefs.words))
        .then((language) => (send("reads", { language }), show(get())))
        .catch(() => send("rest.failed")),
    call: (effect) => void import("./calling.js").then(({ act }) => act(effect)).catch(() => {}), // no network: no tone
    permit: () =>
      void import("./calling.js")
        .then(({ permit }) => permit())
        .then((permission) => send("permitted", { permission }))
        .catch(() => send("rest.failed")),
    forget({ minor }) {
      forget();
      void fetch(minor ? "/api/under-18" : "/api/forget", { method: "POST" }).catch(() => {});
    },
    media: onMedia,
    translate: (effect) =>
      void import("./translating.js")
        .then(({ act }) => act(effect))
        .catch(() => send("translated.not", { key: effect.key, why: "away" })),
    photo: (effect) =>
      void import("./photo.js")
        .then(({ act }) => act(effect))
        .catch(() => send("photo.failed", { id: effect.id, key: effect.key })),
    rest: onRest,
    full: () =>
      void (document.fullscreenElement ? document.exitFullscreen() : document.querySelector(".call")?.requestFullscreen?.())?.catch(
        () => {},
      ),
    status: () =>
      void fetch("/api/status")
        .then((answer) => (answer.ok ? answer.json() : null))
        .then((status) => status && send("status", { status }))
        .catch(() => {}),
    install: () => void prompt?.prompt(),
    college: (effect) =>
      void import("./college.js")
        .then(({ act }) => act(effect))
        .catch(() => send("college.answer", { op: effect.op, ok: false, body: {} })),
    challenge: (effect) =>
      void import("./challenge.js").then(({ act }) => act(effect, trusted)).catch(() => send("check.failed")),
    reload: () => location.reload(),
  };
  return (effect, state) => run[effect.do](effect, state);
}
