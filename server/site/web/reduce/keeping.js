// Handle report and save. A dialog that is marked `last` is about the chat before this one.
import { BOUNDS } from "../client/protocol.js";
import { pictured, stay } from "./pictures.js";
import { end } from "./talk.js";
import { and, focus, patch, post, say, timer } from "./state.js";

const which = ({ sheet, last }) => (sheet?.last && last ? { chat: last.chat.id } : {});
const ofLast = (state, change) => patch(state, "last", { ended: { ...state.last.ended, ...change } });
const asked = (state, change) => ({ ...state, sheet: { is: "save", ...(state.sheet?.last ? { last: true } : {}), ...change } });

/** Report with one tap: report, leave, done; in a call that is checked, leave a moment later. After the end of a chat it only reports. */
function report(state, { reason, note, who }, now) {
  const frame = { type: "report", reason, ...(note ? { note } : {}), ...(who ? { who } : {}), ...which(state) };
  if (frame.chat)
    return and(post({ ...ofLast(state, { reported: reason }), sheet: null, notice: "reported" }, frame), (next) => [
      next,
      say("ended.reported"),
      timer("notice", 6000),
    ]);
  const told = { ...state, sheet: null };
  const result = post(told, frame);
  if (state.phase === "ended")
    return and(result, (next) => [patch(next, "ended", { reported: reason, count: null }), say("ended.reported"), focus("#meet")]);
  return and(
    and(result, (next) => (pictured(next) ? stay(next) : post(next, { type: "leave" }))),
    (next) => and(end(next, "reported", now), (last) => [patch(last, "ended", { reported: reason, count: null })]),
  );
}

function save(state, _, now) {
  const ended = state.sheet?.last ? (state.last?.ended ?? { unknown: true }) : state.phase === "ended" && state.ended;
  if (ended && (ended.unknown || now - ended.at > BOUNDS.pastFor * 1000)) return [asked(state, { problem: "late" })];
  if (!state.link.settled) return [asked(state, { problem: "failed" }), say("save.failed")];
  const frame = { type: "save", ...which(state) };
  return [{ ...asked(state, { busy: true }), saving: frame.chat ?? null }, { do: "send", frame }, timer("save", 15000)];
}

const saved = (state, { frame }) => {
  const links = { url: frame.url, delete: frame.delete };
  const kept = state.saving && state.last?.chat.id === state.saving ? patch(state, "last", { saved: links }) : { ...state, saved: links };
  return [
    state.sheet?.is === "save" ? asked(kept, {}) : kept,
    say("save.saved"),
    { do: "cancel", name: "save" },
    focus("#saved-link"),
  ];
};

const saveFailed = (state, problem) => [
  asked(state, { problem }),
  say(`save.${problem}`),
  { do: "cancel", name: "save" },
];

/** Show where the outcome of a report can be read, and whom to call; the reported chat may be out of view by now. */
const reported = (state, { frame: { receipt, help } }) => [
  state.ended?.reported ? patch(state, "ended", { receipt, help }) : state.last?.ended.reported ? ofLast(state, { receipt, help }) : state,
];

/** Return to the chat before this search, which stops. */
function back(state) {
  if (!state.last || (state.phase !== "waiting" && state.phase !== "home")) return [state];
  const next = { ...state, ...state.last, phase: "ended", last: null, waiting: null, notice: null };
  return and(state.phase === "waiting" ? post(next, { type: "leave" }) : [next], (there) => [there, focus("h1"), { do: "token" }]);
}

export const keepingEvents = {
  back,
  report,
  save,
  "save.refused": (state) => saveFailed(state, "failed"),
  "timer.save": (state) => (state.sheet?.busy ? saveFailed(state, "failed") : [state]),
  copied: (state, { which }) => [patch(state, "sheet", { copied: which }), say("save.copied")],
};
export const keepingFrames = { saved, reported };
