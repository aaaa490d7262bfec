// Report and save: what a chat leaves behind.
import { BOUNDS } from "../protocol.js";
import { end } from "./talk.js";
import { and, focus, patch, post, say, timer } from "./state.js";

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
  if (state.phase === "ended" && (state.ended.unknown || now - state.ended.at > BOUNDS.pastFor * 1000)) return [{ ...state, sheet: { is: "save", problem: "late" } }];
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

const saveFailed = (state, problem) => [
  { ...state, sheet: { is: "save", problem } },
  say(`save.${problem}`),
  { do: "cancel", name: "save" },
];

/** Where what came of a report can be read, and whom to call; the chat that it was about may be gone from view by now. */
const reported = (state, { frame: { receipt, help } }) => [state.ended?.reported ? patch(state, "ended", { receipt, help }) : state];

/** Back to the chat before this search. It stops first, so that what is said of a stranger cannot be said of the next. */
const back = (state) =>
  state.phase === "waiting" && state.last
    ? and(post({ ...state, ...state.last, phase: "ended", last: null, waiting: null, notice: null }, { type: "leave" }), (next) => [
        next,
        focus("h1"),
        { do: "token" },
      ])
    : [state];

export const keepingEvents = {
  back,
  report,
  save,
  "save.refused": (state) => saveFailed(state, "failed"),
  "timer.save": (state) => (state.sheet?.busy ? saveFailed(state, "failed") : [state]),
  copied: (state, { which }) => [patch(state, "sheet", { copied: which }), say("save.copied")],
};
export const keepingFrames = { saved, reported };
