// Handle challenges before a search: the browser solves one while the search waits, or a captcha provider loads after a press. Only `find`
// is ever refused for one.
import { claimed, freed } from "./age.js";
import { findEvents, frameOf } from "./find.js";
import { and, focus, post, say } from "./state.js";

/** Names of the captcha providers, as users know them. */
export const COMPANIES = { turnstile: "Cloudflare", hcaptcha: "hCaptcha", recaptcha: "Google" };
const work = (op, challenge) => ({ do: "challenge", op, challenge });

/** Hold the search, which was refused until the challenge is solved; it keeps its place. The first step is announced when it is known. */
function held(state) {
  if (state.phase !== "waiting" || state.sheet?.is === "check" || state.sheet?.is === "claimed") return [state];
  return [{ ...state, waiting: null, sheet: { is: "check" } }];
}

/** Handle a challenge. The same one comes again with each search: it is being solved. */
function challenge(state, event, now) {
  const { kind, parameters } = event.frame;
  if (kind === "age") return claimed(state, event, now);
  const { check } = state;
  const of = parameters.signature ?? parameters.id;
  if (state.phase !== "waiting") return [state];
  if (check && !check.failed && check.of === of) return [state];
  const next = { ...state, check: { kind, of, part: 0, failed: false } };
  if (kind === "altcha") return and([next, work("solve", parameters), ...(check?.kind === kind ? [] : [say("check.text")])], held);
  const company = COMPANIES[kind];
  if (!company) return failed(next);
  const wrong = !!check && !check.failed; // the last solution was wrong
  return and([{ ...next, check: { ...next.check, company, wrong, agreed: false } }, say("check.company", { company })], held);
}

const done = (state, { response, of }) =>
  state.check?.of === of ? post({ ...state, check: { ...state.check, part: 1 } }, { type: "solution", kind: state.check.kind, response }) : [state];

function failed(state) {
  if (!state.check) return [state];
  return and(held({ ...state, check: { ...state.check, of: null, failed: true } }), (next) => [next, say("check.failed")]);
}

/** Continue the search after the solution. If the connection is lost, it continues when that is back. */
function solved(before, { frame }) {
  const state = frame.kind === "age" ? freed(before) : before;
  const next = { ...state, check: null, sheet: state.sheet?.is === "check" ? null : state.sheet };
  if (state.phase !== "waiting") return [next];
  return [next, ...(next.link.settled ? [{ do: "send", frame: frameOf(next) }] : []), focus("h1")];
}

/** Replace the button by the widget of the provider, behind the heading. */
const agreed = (state) =>
  state.check?.company ? [{ ...state, check: { ...state.check, agreed: true } }, focus("h2")] : [state];

const again = (state) => [{ ...state, check: null }, ...(state.link.settled ? [{ do: "send", frame: frameOf(state) }] : [])];

const stop = (state) => and([{ ...state, sheet: null, check: null }, work("stop")], findEvents.stop);

export const checkEvents = {
  challenged: held,
  "check.part": (state, { part }) => [state.check && !state.check.failed ? { ...state, check: { ...state.check, part } } : state],
  "check.agreed": agreed,
  "check.done": done,
  "check.failed": failed,
  "check.again": again,
  "check.stop": stop,
};
export const checkFrames = { challenge, solved };
