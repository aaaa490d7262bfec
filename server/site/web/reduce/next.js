// From one stranger to the next, and what goes along: the chat before stays within reach, a page that was loaded again has its own
// lines and the draft back.
import { BOUNDS } from "../protocol.js";
import { quoteOf } from "../parts/said.js";
import { clean } from "../text.js";
import { seek } from "./find.js";
import { hang } from "./pictures.js";
import { meet } from "./sheets.js";
import { note, past, put } from "./talk.js";
import { and, focus, patch, say, timer } from "./state.js";

const ARMED = new Set(["next", "swipe"]);

/** The second press goes, within three seconds; `sure`: before one has looked the first does. `by`: swipe, where a finger did it. */
function next(state, { sure, by = "next" }, now) {
  if (state.phase !== "chat" || state.chat.role === "spy") return [state];
  if (state.prefs.confirm && !sure && !ARMED.has(state.armed))
    return [{ ...state, armed: by }, say(by === "swipe" ? "chat.swipe" : "next.again"), timer("armed", 3000)];
  return and(meet(state, {}, now), (after) => [after, past()]);
}

/** A line of ours as the browser kept it: what the server has dealt with is sent, or was refused; what it has not can be tried again. */
const own = ({ denied, taken }, { text, seq, ordinal = 0, state }, key) => ({
  key,
  from: "me",
  text,
  seq,
  ordinal,
  late: false,
  state: seq || (ordinal && ordinal <= taken && state !== "refused" && !denied.includes(ordinal)) ? "sent" : "refused",
});

/** A warning as the browser kept it. */
const isTip = (tip) => typeof tip?.text === "string" && Number.isInteger(tip.of);

const BLURS = ["none", "background", "all"];

/** In a call: what was off stays off, and what was blurred or under a veil stays so. */
const shown = (state, { camera, microphone, blur, veil } = {}) =>
  patch(state, "video", {
    on: { camera: camera !== false, microphone: microphone !== false },
    ownBlur: BLURS.includes(blur) ? blur : state.video.ownBlur,
    veil: veil === true,
  });

/** The page was loaded again: `kept` is what it had written down of this chat, or null. */
function remember(state, { kept }) {
  if (state.phase !== "chat" || !state.chat.reloaded) return [state];
  const there = patch(state, "chat", { reloaded: false });
  if (kept?.chat !== state.chat.id) return [put(there, note(there, "chat.reloaded"))];
  const lines = [...state.chat.lines];
  kept.lines.forEach((line, index) => {
    const at = line.seq ? lines.findIndex((entry) => entry.seq > line.seq) : -1;
    lines.splice(at < 0 ? lines.length : at, 0, own(state.chat, line, `m${state.serial + index}`));
  });
  const { draft, quote: text, tone, shows, tips } = kept;
  const quoted = typeof text === "string" && text ? { key: null, text } : null;
  const back = { ...patch(shown(there, shows), "chat", { lines, draft, quote: quoted, tone, tips: Array.isArray(tips) ? tips.filter(isTip) : [] }), serial: state.serial + kept.lines.length };
  return [kept.hung ? hang(back) : back];
}

/** What was begun and not sent, of this chat or of the one before. */
function draft(state, { chat, text }) {
  if (state.chat?.id === chat) return [patch(state, "chat", { draft: text })];
  return [state.last?.chat.id === chat ? patch(state, "last", { chat: { ...state.last.chat, draft: text } }) : state];
}

/** Other topics for the search that runs; the server keeps its age. The same ones are not asked for again. */
const topics = (state, now) =>
  JSON.stringify(state.find.interests) === JSON.stringify(state.prefs.tags)
    ? [{ ...state, sheet: null }]
    : seek(state, { ...state.find, interests: state.prefs.tags }, now);

/** An answer to a line: it stands before what one writes. Without a `key`: the last that they said, or the one before that last time. */
function quote(state, { key }) {
  if (state.phase !== "chat" || state.chat.role === "spy") return [state];
  const { lines, quote: before } = state.chat;
  const theirs = lines.filter(({ from }) => from === "them");
  const at = theirs.findIndex((entry) => entry.key === before?.key);
  const line = key ? lines.find((entry) => entry.key === key) : theirs.at(at > 0 ? at - 1 : -1);
  if (!line) return [state];
  return [
    patch(state, "chat", { quote: { key: line.key, text: quoteOf(line.text) } }),
    say("chat.quoted", { line: clean(line.text) }),
    focus("#message"),
  ];
}

/** A line that was not sent goes back into the field, and what it quoted above it. */
function recall(state, { key, quote: text }) {
  const lines = state.chat.lines.filter((entry) => entry.key !== key);
  return [patch(state, "chat", { lines, ...(text ? { quote: { key: null, text } } : {}) })];
}

export const nextEvents = {
  next,
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
