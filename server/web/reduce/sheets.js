// Dialogs and settings: age is in find.js; here are report, save, more, keys, settings, and the countdown to the next search.
import { seek } from "./find.js";
import { end } from "./talk.js";
import { and, defaults, focus, patch, post, say, timer } from "./state.js";

const SAVE_UNTIL = 10 * 60 * 1000; // protocol: the last chat can be saved for 10 minutes

/** One tap: report, leave, done. On the ended deck it only reports. */
function report(state, { reason, note, who }, now) {
  const frame = { type: "report", reason, ...(note ? { note } : {}), ...(who ? { who } : {}) };
  const told = { ...state, sheet: null };
  const result = post(told, frame);
  if (state.phase === "ended")
    return and(result, (next) => [patch(next, "ended", { reported: reason, count: null }), say("ended.reported"), focus("#meet")]);
  return and(
    and(result, (next) => post(next, { type: "leave" })),
    (next) => and(end(next, "reported", now), (last) => [patch(last, "ended", { reported: reason, count: null })]),
  );
}

function save(state, _, now) {
  if (state.phase === "ended" && now - state.ended.at > SAVE_UNTIL) return [{ ...state, sheet: { is: "save", problem: "late" } }];
  if (!state.link.settled) return [{ ...state, sheet: { is: "save", problem: "failed" } }, say("save.failed")];
  return [{ ...state, sheet: { is: "save", busy: true } }, { do: "send", frame: { type: "save" } }, timer("save", 15000)];
}

const saved = (state, { frame }) => {
  const links = { url: frame.url, delete: frame.delete };
  return [
    { ...state, saved: links, sheet: state.sheet?.is === "save" ? { is: "save" } : state.sheet },
    say("save.saved"),
    { do: "cancel", name: "save" },
    focus("#saved-link"),
  ];
};

export const saveFailed = (state, problem) => [
  { ...state, sheet: { is: "save", problem } },
  say(`save.${problem}`),
  { do: "cancel", name: "save" },
];

function tick(state, _, now) {
  const next = { ...state, now };
  if (state.phase !== "ended" || state.ended.count === null || state.held || state.sheet || !state.visible) return [next];
  const count = state.ended.count - 1;
  return count > 0 ? [patch(next, "ended", { count })] : meet(next, {}, now);
}

/** The next search is like the last: same mode, today's topics. */
const meet = (state, _, now) =>
  seek(
    state,
    {
      ...(state.find?.extra?.role ? { interests: [] } : {}),
      mode: state.chat?.call ? "video" : (state.find?.mode ?? "text"),
      extra: state.find?.extra,
    },
    now,
  );

const pref = (state, { name, value }) => [patch(state, "prefs", { [name]: value }), { do: "keep" }, { do: "look" }];

export const sheetEvents = {
  sheet: (state, { is, type: _, ...more }) => [{ ...state, sheet: { is, ...more }, armed: false }],
  close: (state) => [state.sheet ? { ...state, sheet: null } : state],
  "sheet.set": (state, { change }) => [state.sheet ? patch(state, "sheet", change) : state],
  report,
  save,
  "timer.save": (state) => (state.sheet?.busy ? saveFailed(state, "failed") : [state]),
  copied: (state, { which }) => [patch(state, "sheet", { copied: which }), say("save.copied")],
  pref,
  nothing: (state, { on }) => and(pref(state, { name: "nothing", value: on }), (next) => [next, { do: "token" }]),
  forget: (state) => [
    { ...state, prefs: { ...defaults, language: state.prefs.language, nothing: state.prefs.nothing }, notice: "forgot", sheet: null },
    { do: "forget" },
    { do: "look" },
    say("settings.forgot"),
    timer("notice", 6000),
  ],
  "statement.seen": (state) => [{ ...patch(state, "prefs", { statement: state.config.privacy }), notice: null }, { do: "keep" }],
  installable: (state, { on }) => [patch(state, "can", { install: on })],
  install: (state) => [patch(state, "can", { install: false }), { do: "install" }],
  meet: (state, event, now) => (state.phase === "ended" ? meet(state, event, now) : [state]),
  "count.stop": (state) => [state.ended ? patch(state, "ended", { count: null }) : state],
  held: (state, { on }) => [state.held === on ? state : { ...state, held: on }],
  tick,
  reload: (state) => [state, { do: "reload" }],
};
export const sheetFrames = { saved, reported: (state) => [state], pong: (state) => [state] };
