// Move to the next stranger: the chat before stays reachable, and a reloaded page gets its own lines and the draft back.
import { markOf, pairOf } from "../pairs.js";
import { fate } from "../client/lines.js";
import { BOUNDS } from "../client/protocol.js";
import { quoteOf } from "../parts/said.js";
import { clean } from "../text.js";
import { seek } from "./find.js";
import { hang } from "./pictures.js";
import { meet } from "./sheets.js";
import { note, past, put } from "./talk.js";
import { and, focus, patch, say, timer } from "./state.js";

const ARMED = new Set(["next", "swipe"]);
const DOUBLE = 350; // ms in which a second press belongs to the first: it was meant for the chat before

/**
 * Move on at once; the server keeps the seat for a moment (`kept`). If the user wants to be asked, the second press within three seconds moves
 * on. `sure`: never asked. `by`: swipe, for a finger.
 */
function next(state, { sure, by = "next" }, now) {
  if (state.phase !== "chat" || state.chat.role === "spy") return [state];
  if (state.behind && now - state.behind.at < DOUBLE) return [state];
  if (state.prefs.sure && !sure && !ARMED.has(state.armed))
    return [{ ...state, armed: by }, say(by === "swipe" ? "chat.swipe" : "next.again"), timer("armed", 3000)];
  const { chat, find, last } = state;
  const [after, ...effects] = meet(state, {}, now);
  if (chat.call && state.video.veil) return [after, ...effects, past()]; // from nudity there is no way back
  const asked = effects.map((effect) => (effect.frame?.type === "find" ? { ...effect, frame: { ...effect.frame, keep: true } } : effect));
  const behind = after.phase === "waiting" ? { chat, find, last, token: null, until: 0, at: now } : null;
  return [{ ...after, behind }, { do: "cancel", name: "behind" }, ...asked, past()];
}

/** Offer to return to the chat that was just left, until the server ends it. */
const kept = (state, { frame: { token, within } }, now) =>
  state.behind
    ? [patch(state, "behind", { token, until: now + within * 1000 }), timer("behind", within * 1000), say("next.kept")]
    : [state];

/** Go back into the chat that was just left, as after a lost connection: what came meanwhile follows. The search ends, and a chat that it found. */
function goBack(state, _, now) {
  const { behind } = state;
  if (!behind?.token) return [state];
  if (now >= behind.until) return [{ ...state, behind: null }, say("next.gone")];
  const { id, call, draft: begun } = behind.chat;
  const text = state.last?.chat.id === id ? (state.last.chat.draft ?? begun) : begun;
  const chat = { ...behind.chat, call: call && { ...call, again: true }, draft: text, typing: null, picking: null, returning: true };
  const cleared = { waiting: null, ended: null, sheet: null, armed: false, notice: null, saved: null, behind: null, owed: [], video: { ...state.video, veil: false, looked: false } };
  const me = { ...state.me, token: behind.token, resume: true };
  const link = { ...state.link, is: "connecting", settled: false, resuming: false, since: now };
  return [{ ...state, ...cleared, phase: "chat", chat, find: behind.find, last: behind.last, me, link }, { do: "reopen" }, say("next.returned"), focus("chat")];
}

/** Restore an own stored line: one that the server has handled is sent or refused; one that it has not can be sent again. */
const own = ({ denied, taken }, { text, seq, ordinal = 0, state }, key) => ({
  key,
  from: "me",
  text,
  seq,
  ordinal,
  late: false,
  state: seq || (state !== "refused" && fate(ordinal, { taken, refused: denied }) === "sent") ? "sent" : "refused",
});

/** Whether a stored warning is valid. */
const isTip = (tip) => typeof tip?.text === "string" && Number.isInteger(tip.of);

const BLURS = ["none", "background", "all"];

/** Restore a call: devices that were off stay off, a blurred or veiled picture stays so, and a curtain that was drawn again (`drawn`) stays silent. */
const shown = (state, { camera, microphone, blur, veil, drawn } = {}) =>
  patch(state, "video", {
    on: { camera: camera !== false, microphone: microphone !== false },
    ownBlur: BLURS.includes(blur) ? blur : state.video.ownBlur,
    veil: veil === true,
    looked: drawn === true,
  });

/** Restore the chat after a reload: `kept` is what was stored of it, or null. */
function remember(state, { kept }) {
  if (state.phase !== "chat" || !state.chat.reloaded) return [state];
  const there = patch(state, "chat", { reloaded: false });
  if (kept?.chat !== state.chat.id) return [put(there, note(there, "chat.reloaded"))];
  const lines = [...state.chat.lines];
  kept.lines.forEach((line, index) => {
    const at = line.seq ? lines.findIndex((entry) => entry.seq > line.seq) : -1;
    lines.splice(at < 0 ? lines.length : at, 0, own(state.chat, line, `m${state.serial + index}`));
  });
  const { draft, quote: text, tone, shows, tips, pair: mark, friend: wish } = kept;
  const pair = state.prefs.pairs.find((entry) => markOf(entry) === mark);
  const known = pair ? { pair, face: pairOf(pair).face } : {};
  const quoted = typeof text === "string" && text ? { key: null, text } : null;
  const back = { ...patch(shown(there, shows), "chat", { lines, draft, quote: quoted, tone, ...known, friend: ["asked", "kept"].includes(wish) ? wish : undefined, tips: Array.isArray(tips) ? tips.filter(isTip) : [] }), serial: state.serial + kept.lines.length };
  return [kept.hung ? hang(back) : back];
}

/** Restore a draft, of this chat or of the one before. */
function draft(state, { chat, text }) {
  if (state.chat?.id === chat) return [patch(state, "chat", { draft: text })];
  return [state.last?.chat.id === chat ? patch(state, "last", { chat: { ...state.last.chat, draft: text } }) : state];
}

/** Change the topics of the running search; the server keeps its age. Unchanged topics are not sent. */
const topics = (state, now) =>
  JSON.stringify(state.find.interests) === JSON.stringify(state.prefs.tags)
    ? [{ ...state, sheet: null }]
    : seek(state, { ...state.find, interests: state.prefs.tags }, now);

/** Quote a line above the field. Without a `key`: the last line of the partner, or the one before the last quoted. */
function quote(state, { key }) {
  if (state.phase !== "chat" || state.chat.role === "spy") return [state];
  const { lines, quote: before } = state.chat;
  const theirs = lines.filter(({ from }) => from === "them");
  const at = theirs.findIndex((entry) => entry.key === before?.key);
  const line = key ? lines.find((entry) => entry.key === key) : theirs.at(at > 0 ? at - 1 : -1);
  if (!line) return [state];
  return [
    patch(state, "chat", { quote: { key: line.key, text: quoteOf(line.text) }, picking: null }),
    say("chat.quoted", { line: clean(line.text) }),
    focus("#message"),
  ];
}

/** Put a line that was not sent back into the field, with its quote above it. */
function recall(state, { key, quote: text }) {
  const lines = state.chat.lines.filter((entry) => entry.key !== key);
  return [patch(state, "chat", { lines, ...(text ? { quote: { key: null, text } } : {}) })];
}

export const nextFrames = { kept };
export const nextEvents = {
  next,
  "next.back": goBack,
  "timer.behind": (state) => [state.behind ? { ...state, behind: null } : state],
  remember,
  draft,
  topics: (state, _, now) => (state.phase === "waiting" ? topics(state, now) : [{ ...state, sheet: null }]),
  "timer.usual": (state) => [state, ...(state.phase === "waiting" ? [{ do: "status" }] : [])],
  quote,
  unquote: (state) => [patch(state, "chat", { quote: null }), focus("#message")],
  recall,
  "copied.text": (state) => [state, say("save.copied")],
  "copied.not": (state) => [state, { do: "alarm", key: "text.refused" }],
  "timer.past": (state, _, now) => [state.last && now - state.last.ended.at >= BOUNDS.pastFor * 1000 ? { ...state, last: null } : state],
};
