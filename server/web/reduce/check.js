// A challenge comes before the search: the browser works on it while the search waits. Only `find` is ever refused for one.
import { findEvents, frameOf } from "./find.js";
import { and, focus, post, say } from "./state.js";

const work = (op, challenge) => ({ do: "challenge", op, challenge });

/** The search was refused until it is solved; it keeps its place. */
function held(state) {
  if (state.phase !== "waiting" || state.sheet?.is === "check") return [state];
  return [{ ...state, waiting: null, sheet: { is: "check" } }, say("check.text")];
}

/** The same one comes again with each search: it is being worked on. Of another company's none is shown here. */
function challenge(state, { frame: { kind, parameters } }) {
  const { check } = state;
  if (state.phase !== "waiting") return [state];
  if (check && !check.failed && check.of === parameters.signature) return [state];
  if (kind !== "altcha") return failed({ ...state, check: { kind, of: null } });
  const next = { ...state, check: { kind, of: parameters.signature, part: 0, failed: false } };
  return and([next, work("solve", parameters)], held);
}

const done = (state, { response, of }) =>
  state.check?.of === of ? post({ ...state, check: { ...state.check, part: 1 } }, { type: "solution", kind: state.check.kind, response }) : [state];

function failed(state) {
  if (!state.check) return [state];
  return and(held({ ...state, check: { ...state.check, of: null, failed: true } }), (next) => [next, say("check.failed")]);
}

/** Solved: the search goes on. Where the link is away, it does when it is back. */
function solved(state) {
  const next = { ...state, check: null, sheet: state.sheet?.is === "check" ? null : state.sheet };
  if (state.phase !== "waiting") return [next];
  return [next, ...(next.link.settled ? [{ do: "send", frame: frameOf(next) }] : []), focus("h1")];
}

const again = (state) => [{ ...state, check: null }, ...(state.link.settled ? [{ do: "send", frame: frameOf(state) }] : [])];

const stop = (state) => and([{ ...state, sheet: null, check: null }, work("stop")], findEvents.stop);

export const checkEvents = {
  challenged: held,
  "check.part": (state, { part }) => [state.check && !state.check.failed ? { ...state, check: { ...state.check, part } } : state],
  "check.done": done,
  "check.failed": failed,
  "check.again": again,
  "check.stop": stop,
};
export const checkFrames = { challenge, solved };
