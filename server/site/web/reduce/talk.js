// Handle the chat: lines, their states, typing, absence, the end. An own line is keyed by the id that this page gave it and never replaced.
import { paired } from "../pairs.js";
import { fate } from "../client/lines.js";
import { BOUNDS } from "../client/protocol.js";
import { whole } from "../text.js";
import { facesOf, photosOf } from "./faces.js";
import { isHeld, notPaused, partner, unpaused } from "./partner.js";
import { and, call, focus, patch, post, say, timer, unsay } from "./state.js";

const MOST_LINES = 2000; // kept in the page; older ones are removed, and a line says so
const BURST = 20; // lines in PAUSE ms; then the field waits. The server accepts three times as many (MESSAGE_RATE), and no user types so fast
const PAUSE = 3000;
const [TONES, DOUBT] = [4, 3500]; // colours of strangers (style/rest.css), in turn; ms that a line is unanswered before the server is pinged

const line = (key, from, text, more = {}) => ({ key, from, text, ...more });
export const note = (state, name, values) => line(`n${state.serial}`, "note", name, { values });

export function put(state, ...lines) {
  const all = [...state.chat.lines, ...lines];
  const cut = all.length > MOST_LINES;
  return {
    ...state,
    serial: state.serial + lines.length,
    chat: { ...state.chat, lines: cut ? all.slice(-MOST_LINES) : all, cut: state.chat.cut || cut },
  };
}

/**
 * Return the position of the line `seq` of the partner: the protocol numbers decide, so that both sides see one order. A gap since the last
 * received number means own lines that the server accepted between; own lines not accepted by then come after.
 */
function place({ lines, last }, seq) {
  let at = lines.findLastIndex((entry) => entry.key === `s${last}`) + 1;
  for (let mine = seq - last - 1; at < lines.length; at += 1) {
    const entry = lines[at];
    if (entry.from === "me" && entry.state !== "refused" && ((mine -= 1) < 0 || entry.seq > seq)) break;
  }
  return at;
}

/** Insert a line where `seq` belongs among the others. */
function insert(state, seq, entry) {
  const at = place(state.chat, seq);
  const after = state.chat.lines.slice(at);
  const next = put(patch(state, "chat", { lines: state.chat.lines.slice(0, at) }), entry, ...after);
  return { ...next, serial: state.serial + 1 };
}

const mark = (state, test, change) =>
  patch(state, "chat", { lines: state.chat.lines.map((entry) => (entry.from === "me" && test(entry) ? { ...entry, ...change } : entry)) });

/** Begin a chat (`matched`, or `resumed` into one that this page has not shown). */
export function begin(state, frame, now, more = {}) {
  const chat = {
    id: frame.chat,
    role: frame.role ?? "stranger",
    side: frame.side ?? null,
    ...paired(state),
    common: frame.common ?? [],
    language: frame.language ?? null,
    college: frame.college ?? null,
    question: frame.question ?? null,
    asked: !!state.find?.interests?.length,
    lines: [],
    ordinal: frame.taken ?? 0,
    taken: frame.taken ?? 0,
    denied: frame.refused ?? [],
    reloaded: !!more.reloaded, // own lines and the draft are restored by reduce/next.js
    tone: state.serial % TONES,
    faces: facesOf(frame), // picking: key of the line at which they are offered
    ...{ picking: null, ...photosOf(frame) },
    last: 0,
    typing: null,
    away: null,
    claimed: false, // this user has to answer the age question; waits: the partner has to
    waits: false,
    ...notPaused,
    replay: frame.missed ?? 0,
    missed: more.reloaded ? 0 : (frame.missed ?? 0), // all lines come again, and most were read
    ...{ paused: 0, stamps: [], unseen: 0, fresh: !state.visible, cut: false },
    call: frame.ice ? { offer: !!frame.offer, ice: frame.ice, again: !!more.reloaded } : null,
  };
  const next = { ...state, serial: state.serial + 1, phase: "chat", chat, waiting: null, ended: null, sheet: null, armed: false, notice: null, saved: null };
  return [
    next,
    chat.common.length ? say("wait.found.both", { topics: chat.common }) : say("wait.found"),
    focus(chat.call ? "#show" : "chat"),
    { do: "token" },
    ...call(state, "calling.match", !!state.waiting?.quiet),
  ];
}

/** Handle the report of the server about accepted own lines: the others are sent again, in order, under new ordinals. */
export function reconcile(state, frame) {
  let next = mark(state, (entry) => entry.state !== "refused" && fate(entry.ordinal, frame), { state: "sent", late: false });
  next = mark(next, (entry) => fate(entry.ordinal, frame) === "refused", { state: "refused" });
  next = patch(next, "chat", { returning: false, faces: facesOf(frame, state.owed), ...photosOf(frame, state.chat.photos), ordinal: frame.taken, away: null, waits: false, replay: frame.missed ?? 0, missed: frame.missed ?? 0 });
  return flush(next);
}

/** Send all lines that the server has not accepted, oldest first. The connection is settled, or is about to be in this same step. */
function flush(state) {
  if (state.chat.opener) return [state];
  let { ordinal } = state.chat;
  const frames = [];
  const lines = state.chat.lines.map((entry) => {
    if (entry.from !== "me" || (entry.state !== "queued" && entry.state !== "sending")) return entry;
    frames.push({ do: "send", frame: { type: "message", text: entry.text, id: entry.key } });
    ordinal += 1;
    return { ...entry, state: "sending", ordinal, sent: state.now };
  });
  return [patch(state, "chat", { lines, ordinal }), ...frames, ...(frames.length ? [timer("late", 2000)] : [])];
}

/** Send a line. `quote`: what stays above the field after it. */
function speak(state, { text, quote = null }, now) {
  const tidy = whole(text)
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
    .replace(/\s+$/, "");
  if (state.phase !== "chat" || isHeld(state.chat) || !tidy.trim() || [...tidy].length > BOUNDS.text || state.chat.paused > now) return [state];
  const key = `m${state.serial}`;
  const settled = state.link.settled && !state.chat.opener;
  const ordinal = settled ? state.chat.ordinal + 1 : 0;
  const entry = line(key, "me", tidy, { state: settled ? "sending" : "queued", late: false, ordinal, at: now });
  const stamps = [...state.chat.stamps.filter((at) => now - at < PAUSE), now];
  const paused = stamps.length >= BURST ? now + PAUSE : 0;
  const next = patch(put(state, entry), "chat", { stamps, paused, quote, ...(settled ? { ordinal } : {}) });
  const effects = settled ? [{ do: "send", frame: { type: "message", text: tidy, id: key } }, timer("late", 2000)] : [];
  return [paused ? { ...next, notice: "flood" } : next, ...effects, ...(paused ? [timer("paused", PAUSE), say("link.flood")] : [])];
}

/** Show to a watcher for each of the two whether they type. */
const typer = (state, from, on) => (from ? patch(state, "chat", { typers: { ...state.chat.typers, [from]: on } }) : state);

function heard(state, { frame }, now) {
  if (!state.chat || state.looking || frame.seq <= state.chat.last) return [state];
  const from = frame.from ?? "them";
  const replay = Math.max(0, state.chat.replay - 1);
  let next = insert(typer(state, frame.from, false), frame.seq, line(`s${frame.seq}`, from, frame.text, { seq: frame.seq }));
  const { typing } = state.chat;
  next = patch(next, "chat", {
    last: frame.seq,
    typing: typing === from ? null : typing,
    replay,
    unseen: state.visible ? 0 : state.chat.unseen + 1,
  });
  const over = typing === from ? [unsay("chat.typing.said")] : [];
  if (!state.chat.replay) return [next, ...over, ...(state.visible ? [] : call(state, "calling.message"))];
  if (replay) return [next];
  const n = state.chat.missed;
  if (!n) return [next];
  return [insert(next, frame.seq + 1, note(next, "chat.missed", { n })), say("link.back.missed", { n })];
}

const sent = (state, { frame }) =>
  state.chat ? [mark(state, (entry) => entry.key === frame.id, { state: "sent", late: false, seq: frame.seq })] : [state];

function typing(state, { frame }, now) {
  if (state.phase !== "chat") return [state];
  const from = frame.from ?? "them";
  const on = frame.typing ? from : state.chat.typing === from ? null : state.chat.typing;
  const tell = frame.typing && now - (state.chat.told ?? 0) > 20000;
  return [
    patch(typer(state, frame.from, !!frame.typing), "chat", { typing: on, ...(tell ? { told: now } : {}) }),
    ...(tell ? [say("chat.typing.said")] : on ? [] : [unsay("chat.typing.said")]),
  ];
}

/** Start the timer for the time in which an ended chat can be reported and saved. */
export const past = () => timer("past", BOUNDS.pastFor * 1000);

/** Mark the lines that the server had not accepted at the end of the chat. */
export const unsent = (state) => mark(state, (entry) => entry.state !== "sent", { state: "refused" });

/**
 * End the chat. Lines that were not accepted are marked; nothing is sent. `unknown`: the server has forgotten the chat, so that it can be
 * neither saved nor reported.
 */
export function end(state, cause, now, unknown = false) {
  const count = state.prefs.auto && ["stranger", "me", "lost", "late"].includes(cause) ? 5 : null;
  let next = {
    ...state,
    phase: "ended",
    ended: { cause, at: now, count, unknown },
    waiting: null,
    armed: false,
    sheet: !unknown && !state.sheet?.last && (state.sheet?.is === "save" || state.sheet?.is === "report") ? state.sheet : null,
    last: null, // the server knows one ended chat: from now on this one
  };
  if (next.chat) next = patch(unsent(next), "chat", { typing: null, picking: null, away: null, claimed: false, waits: false, ...notPaused, replay: 0, paused: 0 });
  return [next, say(`ended.${cause}`), ...(next.sheet ? [] : [focus("#meet")]), { do: "token" }, past()];
}

function left(state, { frame }, now) {
  if (state.phase !== "chat") return [state];
  if (state.sheet?.is === "claimed" && !state.sheet.hint) {
    const [over, ...effects] = end(state, "age", now);
    return [{ ...over, sheet: state.sheet }, ...effects.filter((effect) => effect.do !== "focus")]; // the dialog keeps the focus
  }
  return and(end(state, frame.by === "moderation" && state.chat.young ? "young" : frame.by, now), (next) => [frame.from ? patch(next, "ended", { who: frame.from }) : next]);
}

function leave(state, _, now) {
  if (state.phase !== "chat") return [state];
  if (state.prefs.confirm && state.armed !== "leave") return [{ ...state, armed: "leave" }, say("chat.again"), timer("armed", 3000)];
  return and(post(state, { type: "leave" }), (next) => end(next, state.chat.role === "spy" ? "watched" : "me", now));
}

/** Mark a message as refused, by an error that names its id. */
export const refuse = (state, frame) => (state.chat ? mark(state, (entry) => entry.key === frame.id, { state: "refused" }) : state);

/** Send a line again; one that cannot be sent now (the chat is over, the field pauses) stays as it is. */
function retry(state, { key }, now) {
  const entry = state.chat?.lines.find((one) => one.key === key);
  if (!entry) return [state];
  const without = patch(state, "chat", { lines: state.chat.lines.filter((one) => one !== entry) });
  const result = speak(without, { text: entry.text, quote: without.chat.quote }, now);
  return result[0] === without ? [state] : result;
}

export const talkEvents = {
  say: speak,
  retry,
  delete: (state, { key }) => [patch(state, "chat", { lines: state.chat.lines.filter((entry) => entry.key !== key) })],
  typing: (state, { on }) =>
    state.phase === "chat" && state.link.settled && !isHeld(state.chat) ? [state, { do: "send", frame: { type: "typing", typing: on } }] : [state],
  leave,
  "timer.armed": (state) => [{ ...state, armed: false }],
  "timer.paused": (state) => [
    state.chat ? patch({ ...state, notice: state.notice === "flood" ? null : state.notice }, "chat", { paused: 0, stamps: [] }) : state,
  ],
  "timer.opener": unpaused(flush),
  "timer.late": (state, _, now) => {
    if (!state.chat) return [state];
    const next = mark(state, (entry) => entry.state === "sending" && now - entry.at >= 1900, { late: true });
    const open = next.chat.lines.filter((entry) => entry.state === "sending");
    const doubted = state.link.settled && open.some((entry) => now - (entry.sent ?? entry.at) >= DOUBT);
    return [next, ...(open.length ? [timer("late", 1500)] : []), ...(doubted ? [{ do: "ask" }] : [])];
  },
};
/**
 * Handle a match. One that crossed with a `leave` of this page is already left, and is the last chat of the server from then on: the one on
 * the screen is not. One that comes into a chat follows a `find` that crossed.
 */
function matched(state, { frame }, now) {
  if (state.phase === "waiting" || state.phase === "chat") return begin(state, frame, now);
  return [state.phase === "ended" ? patch(state, "ended", { unknown: true }) : state];
}
export const talkFrames = { matched, message: heard, sent, typing, partner: partner(flush), left };
