// What guards people: a warning that must be read before the next search, and whom not to meet again.
import { frameOf } from "./find.js";
import { and, focus, patch, post } from "./state.js";
import { note } from "./talk.js";

const TIPS = ["link", "contact", "money", "secrecy", "minor", "help", "private"];
const MOST = 16; // tokens that a search may carry

const notice = (state, { frame }) => [{ ...state, unread: frame }];

/** The search was refused until that is read; one that ran before is over. In a chat that came first nothing changes. */
const hold = (state) =>
  state.phase === "waiting"
    ? and(post({ ...state, phase: "unread", waiting: null, sheet: null }, { type: "leave" }), (next) => [next, focus("h1")])
    : [state];

/** Read: the search goes on. Where the link is away, it does when it is back. */
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

/** A token that is good for one visit alone stands before the others: it is the first to go. */
function blocked(state, { frame: { token, until } }) {
  const { avoid } = state.prefs;
  const how = until ? "kept" : "visit";
  const next = patch(state, "prefs", { avoid: (until ? [...avoid, token] : [token, ...avoid]).slice(-MOST) });
  return [next.chat?.blocked ? patch(next, "chat", { blocked: how }) : next, { do: "keep" }, ...(next.sheet?.is === "more" ? [focus("#blocked")] : [])];
}

/** What a line may be, as a quiet note under it, or before all where it is about the question (0): nothing is said aloud for it, and nothing is asked. */
function tip(state, { frame: { kind, seq, numbers = [] } }) {
  const at = state.chat?.lines.findIndex((line) => line.seq === seq) ?? -1;
  if ((at < 0 && seq !== 0) || !TIPS.includes(kind)) return [state];
  const who = numbers.map(({ name, call, url }) => `${name} ${call ?? url}`).join(", ");
  const next = under(state, seq, `tip.${kind}${kind === "help" && !who ? ".bare" : ""}`, { who });
  const young = kind === "minor" || state.chat.young; // why the chat is over
  return [patch(next, "chat", { young })];
}

/** A note under the line `seq`, which is there, or before all (0). */
function under(state, seq, name, values) {
  const { lines } = state.chat;
  const at = seq ? lines.findIndex((line) => line.seq === seq) : -1;
  const entry = { ...note(state, name, values), quiet: true, of: seq };
  return { ...patch(state, "chat", { lines: [...lines.slice(0, at + 1), entry, ...lines.slice(at + 1)] }), serial: state.serial + 1 };
}

/** The notes of before a reload (`tips`, in their shape there): each is put back when its line is. */
export function followTips(before, result) {
  const [state, ...effects] = result;
  const { chat } = state;
  if (!chat?.tips?.length || before.chat === chat) return result;
  const is = ({ of }) => of === 0 || chat.lines.some(({ seq }) => seq === of);
  const known = chat.tips.filter(is).filter(({ text }) => TIPS.some((kind) => text === `tip.${kind}` || text === "tip.help.bare"));
  const back = known.reduceRight((next, { of, text, values }) => under(next, of, text, { who: String(values?.who ?? "") }), state);
  return [patch(back, "chat", { tips: chat.tips.filter((one) => !is(one)) }), ...effects];
}

export const safetyEvents = { unread: hold, read, block };
export const safetyFrames = { notice, blocked, tip };
