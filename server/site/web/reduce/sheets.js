// Handle dialogs and settings, and the countdown to the next search. Age is in find.js; report and save are in keeping.js.
import { seek } from "./find.js";
import { and, patch, say, timer } from "./state.js";

function tick(state, _, now) {
  const next = { ...state, now };
  if (state.phase !== "ended" || state.ended.count === null || state.held || state.sheet || !state.visible) return [next];
  const count = state.ended.count - 1;
  return count > 0 ? [patch(next, "ended", { count })] : meet(next, {}, now);
}

const DEAF = 700; // ms after the end of a chat, and after a key that belonged to a sentence, in which a key starts nothing

const OWN = new Set(["me", "watched", "reported"]); // ends that the user caused

/** Whether a key was meant to start a search: a user who writes as the stranger leaves goes on typing for a moment. */
export const meant = ({ ended }, { key }, now) =>
  !key || now - Math.max(OWN.has(ended.cause) ? 0 : ended.at, ended.typed ?? 0) >= DEAF;

/** Search again like the last time: same mode, present topics. */
export const meet = (state, _, now) =>
  seek(
    state,
    {
      ...(state.find?.extra?.role ? { interests: [] } : {}),
      mode: state.chat?.call ? "video" : (state.find?.mode ?? "text"),
      extra: state.find?.extra?.call === undefined ? state.find?.extra : {},
    },
    now,
  );

const pref = (state, { name, value }) => [
  patch(state, "prefs", { [name]: value }),
  { do: "keep" },
  { do: name === "words" ? "words" : "look" },
];

/** Whether the privacy statement changed since the last visit; an announced one is shown even if nothing is kept of the visitor. */
export const hasNewStatement = ({ prefs, config }) => (prefs.statement > 0 || !!config.statement) && config.privacy > prefs.statement;

export const sheetEvents = {
  reads: (state, { language }) => [state.reads === language ? state : { ...state, reads: language }],
  sheet: (state, { is, type: _, ...more }) => [{ ...state, sheet: { is, ...more }, armed: false }],
  close: (state) => [state.sheet ? { ...state, sheet: null } : state],
  "rest.failed": (state) => [{ ...state, sheet: null, notice: "failed" }, say("link.failed"), timer("notice", 8000)],
  "sheet.set": (state, { change }) => [state.sheet ? patch(state, "sheet", change) : state],
  pref,
  nothing: (state, { on }) => and(pref(state, { name: "nothing", value: on }), (next) => [next, { do: "token" }]),
  "incident.seen": (state) => [{ ...state, notice: hasNewStatement(state) ? "statement" : null }],
  "statement.seen": (state) => [{ ...patch(state, "prefs", { statement: state.config.privacy }), notice: null }, { do: "keep" }],
  installable: (state, { on }) => [patch(state, "can", { install: on })],
  install: (state) => [patch(state, "can", { install: false }), { do: "install" }],
  meet: (state, event, now) => (state.phase === "ended" && meant(state, event, now) ? meet(state, event, now) : [state]),
  "ended.typed": (state, _, now) => [state.ended ? patch(state, "ended", { typed: now, count: null }) : state],
  "count.stop": (state) => [state.ended ? patch(state, "ended", { count: null }) : state],
  held: (state, { on }) => [state.held === on ? state : { ...state, held: on }],
  tick,
  reload: (state) => [state, { do: "reload" }],
};
export const sheetFrames = { pong: (state) => [state] };
