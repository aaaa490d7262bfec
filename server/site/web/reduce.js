// Decide each step: reduce(state, event, now) -> [state, ...effects]. Nothing else decides; pure: no clock, socket, storage or DOM.
//
//   phase      event                     next phase        sent to the server
//   home       start                     waiting (or age, or ready before video)   find
//   ready      ready.go                  waiting            find
//   age sheet  age: over / under         waiting / minor    find / nothing
//   waiting    matched                   chat
//   waiting    stop                      home               leave
//   waiting    anyone, widen             waiting            find (the age of the ticket stays)
//   waiting    error notice              unread             leave
//   unread     read                      waiting            seen, find
//   waiting    error maintenance         home               leave
//   waiting    error snaps               ready (or home, a dialog)   leave
//   waiting    challenge                 waiting (a dialog) solution; find when it is solved
//   chat       challenge of kind age     ended (a dialog)   solution
//   chat       snap                      chat              nosnap, if a camera is off
//   chat       left                      ended
//   chat       leave, leave again        ended              leave
//   chat       report                    ended              report, leave (in a call that is checked, when pictures are taken)
//   ended      meet, the count at 0      waiting            find
//   ended      home                      home
//   any        closed, open, hello       unchanged          resume, then queued frames
//   chat       no_session                ended              nothing
//   any        4009 / 4003               replaced / refused
//
// The state is described in reduce/state.js. Each part below owns the events and frames of one subject. Parts that the first screen does
// not need are in reduce/rest.js and are learned when they are loaded: until then an event that only they know waits.
import { CLOSE } from "./client/protocol.js";
import { findEvents, findFrames, seek } from "./reduce/find.js";
import { closing, linkEvents, linkFrames, maintained, noSession } from "./reduce/link.js";
import { sheetEvents, sheetFrames } from "./reduce/sheets.js";
import { refuse, talkEvents, talkFrames } from "./reduce/talk.js";
import { say, timer } from "./reduce/state.js";


/** Handle an `error` frame: `of` and `id` say what it answers; its meaning for the user is decided here. */
function failed(state, event, now) {
  const { code, of, id, retry_after: after = 2 } = event.frame;
  if (code in CLOSE) return closing(state, event, now);
  if (code === "no_session") return noSession(state, now);
  if (code === "maintenance") return maintained(state);
  if (of === "picture" || of === "pictures") return decide(state, { type: "photo.refused", code, id }, now);
  if (id !== undefined) return told(refuse(state, event.frame), code);
  if (code === "not_saved" || of === "save") return decide(state, { type: "save.refused" }, now);
  if (code === "adult") return asked(state, now);
  if (code === "notice") return decide(state, { type: "unread" }, now);
  if (code === "no_pair" || of === "again") return decide(state, { type: "befriend.refused", code }, now);
  if (of === "here") return [state];
  if (of === "solution") return decide(state, { type: "check.failed" }, now);
  if (code === "challenge") return decide(state, { type: "challenged" }, now);
  if (code === "snaps") return decide(state, { type: "snaps.refused", after: event.frame.retry_after }, now);
  if (code === "no_turn") return decide(state, { type: "ready.open", relay: false }, now);
  if (code === "no_college") return decide(state, { type: "college.over" }, now);
  if (code === "too_fast" && of === "find") return [{ ...state, notice: "slowly" }, timer("find", after * 1000), say("wait.slowly")];
  if (of !== "find") return told(state, code);
  return [{ ...state, phase: "home", find: null, waiting: null, notice: "failed" }, say("link.failed"), timer("notice", 8000)];
}

/** Answer the age requirement of the server, if this page has not: it knows the answer, or asks the user. */
function asked(state, now) {
  const { adult, age } = state.config;
  const config = { ...state.config, adult: true, age: age === "year" ? "year" : "ask" };
  const prefs = adult || age === "off" ? { ...state.prefs, adult: false } : state.prefs;
  return seek({ ...state, phase: "home", waiting: null, config, prefs }, state.find ?? {}, now);
}

const told = (state, code) =>
  code === "too_fast" || code === "slow" ? [{ ...state, notice: "flood" }, timer("notice", 6000), say("link.flood")] : [state];

const frames = { ...linkFrames, ...findFrames, ...talkFrames, ...sheetFrames, error: failed };
const events = { ...linkEvents, ...findEvents, ...talkEvents, ...sheetEvents };
let follow = null;

/** Add the rest: from now on its events and frames are decided too, and its reactions to a step run. */
export function learn(rest) {
  Object.assign(events, rest.events);
  Object.assign(frames, rest.frames);
  follow = rest.follow;
}

function decide(state, event, now) {
  const known = event.type === "frame" ? frames : events;
  const name = event.type === "frame" ? event.frame.type : event.type;
  if (Object.hasOwn(known, name)) return known[name](state, event, now);
  if (!follow) return [state, { do: "rest", event }];
  if (known === events) throw new Error(`no event ${name}`);
  return [state];
}

export function reduce(state, event, now) {
  const timed = event.type === "tick" || state.now === now ? state : { ...state, now };
  const decided = decide(timed, event, now);
  const result = follow ? follow(timed, decided) : decided;
  return result[0] === timed && result.length === 1 && event.type !== "tick" ? [state] : result;
}

/** Whether the screen counts seconds, and needs ticks. */
export const counts = (state) =>
  state.ended?.count != null ||
  !!state.chat?.away ||
  !!state.link.retryAt ||
  (state.phase === "chat" && !state.link.settled) ||
  (state.waiting != null && state.waiting.widens !== null && state.phase === "waiting");
