// reduce(state, event, now) -> [state, ...effects]. The only place that decides; pure: no clock, socket, storage or DOM.
//
//   phase      event                     goes to            says to the server
//   home       start                     waiting (or age, or ready before video)   find
//   ready      ready.go                  waiting            find
//   age sheet  age: over / under         waiting / minor    find / nothing
//   waiting    matched                   chat
//   waiting    stop                      home               leave
//   waiting    anyone, widen             waiting            find (the age of the ticket stays)
//   chat       left                      ended
//   chat       leave, leave again        ended              leave
//   chat       report                    ended              report, leave
//   ended      meet, the count at 0      waiting            find
//   ended      home                      home
//   any        closed, open, hello       as it was          resume, then what waited
//   chat       no_session                ended              nothing
//   any        4009 / 4003               replaced / refused
//
// What is in the state: reduce/state.js. Each part below owns the events and the frames of one subject.
import { findEvents, findFrames, seek } from "./reduce/find.js";
import { askingEvents, askingFrames, collegeLost } from "./reduce/asking.js";
import { closing, linkEvents, linkFrames, noSession } from "./reduce/link.js";
import { saveFailed, sheetEvents, sheetFrames } from "./reduce/sheets.js";
import { refuse, talkEvents, talkFrames } from "./reduce/talk.js";
import { say, timer } from "./reduce/state.js";
import { follow, videoEvents, videoFrames } from "./reduce/video.js";

const CLOSING = new Set(["protocol", "binary", "encoding", "too_big", "internal", "restart", "busy", "banned", "flood", "replaced"]);

/** An `error` frame: to whom it belongs is in `of` and `id`; what it means to the person is decided here. */
function failed(state, event, now) {
  const { code, of, id, retry_after: after = 2 } = event.frame;
  if (CLOSING.has(code)) return closing(state, event, now);
  if (code === "no_session") return noSession(state, now);
  if (id !== undefined) return told(refuse(state, event.frame), code);
  if (code === "not_saved" || of === "save") return saveFailed(state, "failed");
  if (code === "adult")
    return seek(
      {
        ...state,
        phase: "home",
        waiting: null,
        config: { ...state.config, age: state.config.age === "year" ? "year" : "ask" },
        prefs: { ...state.prefs, adult: false },
      },
      state.find ?? {},
      now,
    );
  if (code === "no_college") return collegeLost(state);
  if (code === "too_fast" && of === "find") return [{ ...state, notice: "slowly" }, timer("find", after * 1000), say("wait.slowly")];
  if (of === "find")
    return [{ ...state, phase: "home", find: null, waiting: null, notice: "failed" }, say("link.failed"), timer("notice", 8000)];
  return told(state, code);
}

const told = (state, code) =>
  code === "too_fast" || code === "slow" ? [{ ...state, notice: "flood" }, timer("notice", 6000), say("link.flood")] : [state];

const frames = { ...linkFrames, ...findFrames, ...talkFrames, ...sheetFrames, ...askingFrames, ...videoFrames, error: failed };
const events = {
  ...linkEvents,
  ...findEvents,
  ...talkEvents,
  ...sheetEvents,
  ...askingEvents,
  ...videoEvents,
  frame: (state, event, now) => (Object.hasOwn(frames, event.frame.type) ? frames[event.frame.type](state, event, now) : [state]),
};

export function reduce(state, event, now) {
  if (!Object.hasOwn(events, event.type)) throw new Error(`no event ${event.type}`);
  const timed = event.type === "tick" || state.now === now ? state : { ...state, now };
  const result = follow(timed, events[event.type](timed, event, now));
  return result[0] === timed && result.length === 1 && event.type !== "tick" ? [state] : result;
}

/** Does the screen count seconds? Only then a tick is wanted. */
export const counts = (state) =>
  state.ended?.count != null ||
  !!state.chat?.away ||
  !!state.link.retryAt ||
  (state.phase === "chat" && !state.link.settled) ||
  (state.waiting != null && state.waiting.widens !== null && state.phase === "waiting");
