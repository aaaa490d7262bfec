// Handle warnings that must be read before the next search, and users not to meet again.
import { BOUNDS } from "../client/protocol.js";
import { frameOf } from "./find.js";
import { and, focus, patch, post } from "./state.js";
import { note } from "./talk.js";

const TIPS = ["link", "contact", "money", "secrecy", "minor", "help", "private", "support", "threat", "hate", "opener"];
const WITH_NUMBERS = ["help", "threat"];

const notice = (state, { frame }) => [{ ...state, unread: frame }];

/** Hold the search, which was refused until the warning is read; a running one is over. A chat is not changed. */
const hold = (state) =>
  state.phase === "waiting"
    ? and(post({ ...state, phase: "unread", waiting: null, sheet: null }, { type: "leave" }), (next) => [next, focus("h1")])
    : [state];

/** Continue the search after the warning was read. If the connection is lost, it continues when that is back. */
function read(state) {
  if (state.phase !== "unread") return [state];
  const going = { ...state, phase: "waiting", unread: null };
  return and(post(going, { type: "seen", id: state.unread.id }), (next) => [
    next,
    ...(next.link.settled ? [{ do: "send", frame: frameOf(next) }] : []),
    focus("h1"),
  ]);
}

const block = (state) => (state.chat && !state.chat.blocked ? post(patch(state, "chat", { blocked: "asked" }), { type: "block" }) : [state]);

/** Keep a token. One that is valid for one visit only comes before the others: it is the first to be dropped. */
function blocked(state, { frame: { token, until } }) {
  const { avoid } = state.prefs;
  const how = until ? "kept" : "visit";
  const next = patch(state, "prefs", { avoid: (until ? [...avoid, token] : [token, ...avoid]).slice(-BOUNDS.avoid) });
  return [next.chat?.blocked ? patch(next, "chat", { blocked: how }) : next, { do: "keep", avoid: { added: [token], before: !until } }, ...(next.sheet?.is === "more" ? [focus("#blocked")] : [])];
}

/** Show a quiet note about a line under it, or before all lines if it is about the question (0): it is not announced, and asks nothing. */
function tip(state, { frame: { kind, seq, numbers = [] } }) {
  const at = state.chat?.lines.findIndex((line) => line.seq === seq) ?? -1;
  if ((at < 0 && seq !== 0) || !TIPS.includes(kind)) return [state];
  const who = numbers.map(({ name, call, url }) => `${name} ${call ?? url}`).join(", ");
  const next = under(state, seq, `tip.${kind}${WITH_NUMBERS.includes(kind) && !who ? ".bare" : ""}`, { who });
  const young = kind === "minor" || state.chat.young; // the reason of the end of the chat
  return [patch(next, "chat", { young })];
}

/** Put a note under the line `seq`, or before all lines (0). */
function under(state, seq, name, values) {
  const { lines } = state.chat;
  const at = seq ? lines.findIndex((line) => line.seq === seq) : -1;
  const entry = { ...note(state, name, values), quiet: true, of: seq };
  return { ...patch(state, "chat", { lines: [...lines.slice(0, at + 1), entry, ...lines.slice(at + 1)] }), serial: state.serial + 1 };
}

/** Restore the notes from before a reload (`tips`, as stored): each when its line is back. */
export function followTips(before, result) {
  const [state, ...effects] = result;
  const { chat } = state;
  if (!chat?.tips?.length || before.chat === chat) return result;
  const is = ({ of }) => of === 0 || chat.lines.some(({ seq }) => seq === of);
  const known = chat.tips.filter(is).filter(({ text }) => TIPS.some((kind) => text === `tip.${kind}` || (WITH_NUMBERS.includes(kind) && text === `tip.${kind}.bare`)));
  const back = known.reduceRight((next, { of, text, values }) => under(next, of, text, { who: String(values?.who ?? "") }), state);
  return [patch(back, "chat", { tips: chat.tips.filter((one) => !is(one)) }), ...effects];
}

export const safetyEvents = {
  unread: hold,
  read,
  block,
  "avoid.elsewhere": (state, { avoid }) => [state.prefs.nothing ? state : patch(state, "prefs", { avoid })],
};
export const safetyFrames = { notice, blocked, tip };
