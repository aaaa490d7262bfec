// Handle the connection: connect, settle, lose, reconnect. protocol.js says what each close code allows; backoff.js has the waits.
import { askHere } from "../pairs.js";
import { CLOSE, COME_BACK } from "../client/protocol.js";
import { end, begin, reconcile } from "./talk.js";
import { frameOf } from "./find.js";
import { and, focus, patch, post, say, timer, unsay } from "./state.js";

const STEADY = 5000; // ms: a connection that lived this long resets the back-off
const OUR_FAULT = [CLOSE.protocol, CLOSE.binary, CLOSE.encoding, CLOSE.too_big];

/** Handle the open socket. `resume`, if there is a session to resume, is the first frame, before `hello`. */
function opened(state) {
  if (!state.me.resume || !state.me.token) return [patch(state, "link", { resuming: false })];
  const known = state.chat && state.phase !== "ended" ? { last: state.chat.last, chat: state.chat.id } : { last: 0 };
  return [patch(state, "link", { resuming: true }), { do: "send", frame: { type: "resume", token: state.me.token, ...known } }];
}

/** Handle `hello`. Until `resumed` is received the old token stays in use: the answer may be lost, and is then requested again. */
function hello(state, { frame }, now) {
  const me = { ...state.me, next: frame.token, online: frame.online ?? null, grace: frame.grace ?? state.me.grace };
  // what operators say comes next, if there is anything; it may have been withdrawn while this page was away
  const next = { ...state, me, service: { seen: state.service.seen }, link: { ...state.link, is: "open", openedAt: now } };
  if (state.phase === "refused") return and(settle({ ...next, ...fresh }, now), (after) => [after, focus("h1")]);
  return and(state.link.resuming ? [next] : settle(next, now), (after) => [after, ...(state.config.missing ? [{ do: "config" }] : [])]);
}

/** Send the queued frames, since the state is known now. In the phase of waiting the search is sent again; the server keeps its age. */
function settle(state, now) {
  const back = state.link.since > 0 && now - state.link.since > 1000;
  const frames = state.owed.map((frame) => ({ do: "send", frame }));
  const next = {
    ...patch(state, "link", { settled: true, resuming: false, since: 0, retryAt: 0, why: null }),
    owed: [],
    me: { ...state.me, token: state.me.next, resume: true, fresh: false },
    notice: state.notice === "flood" ? null : state.notice,
  };
  const again = state.phase === "waiting" ? [{ do: "send", frame: frameOf(state) }] : [];
  return [next, ...frames, ...again, ...(back && !state.chat?.replay ? [say("link.back")] : []), { do: "token" }, ...askHere(next)];
}

/** Leave a chat that is over for this page: its `leave` was lost, or the session is an older copy, as after the death of a process. */
function quit(state, now) {
  const owed = state.owed.filter(({ type }) => type !== "leave");
  return settle({ ...state, owed: [...owed, { type: "leave" }] }, now);
}

/** Compare the session of the server with this page. A search begun meanwhile wins over an old chat: `find` leaves it. */
function resumed(state, { frame }, now) {
  const mine = state.chat?.id === frame.chat;
  if (frame.chat === null || frame.chat === undefined) {
    return and(state.phase === "chat" ? end(state, lostCause(state, now), now) : [state], (next) => settle(next, now));
  }
  if (state.phase === "chat" && mine) return and(reconcile(state, frame), (next) => settle(next, now));
  if (state.phase === "ended" && mine) return quit(state, now);
  if (state.phase === "waiting" && (state.me.fresh || frame.chat === state.was)) return settle(state, now);
  if (state.phase !== "waiting" && state.phase !== "chat" && !state.me.fresh)
    return quit(state.phase === "ended" ? patch(state, "ended", { unknown: true }) : state, now);
  return and(begin({ ...state, owed: [] }, frame, now, { reloaded: state.me.fresh }), (next) => settle(next, now));
}

/** Return why a chat could not be resumed: if the page reconnected in time the server has lost it. */
function lostCause({ link, me }, now) {
  if (link.why === "restart" || link.why === "flood") return link.why;
  return link.since && now - link.since < me.grace * 1000 ? "restart" : "late";
}

/** Handle a session that cannot be resumed: this connection has a new one. */
function noSession(state, now) {
  const undelivered = state.sheet?.is === "report" || state.owed.some((frame) => frame.type === "report");
  const clean = { ...state, owed: [], last: null, notice: undelivered ? "undelivered" : state.notice };
  const over = clean.phase === "ended" ? [patch(clean, "ended", { unknown: true })] : [clean];
  return and(clean.phase === "chat" ? end(clean, clean.chat.returning ? "me" : lostCause(clean, now), now, true) : over, (next) => settle(next, now));
}

function closed(state, { code }, now) {
  if (state.phase === "replaced" || state.link.is === "stopped") return [state];
  const lost = { ...state.link, settled: false, resuming: false, is: "lost" };
  if (state.phase === "refused") {
    const still = code === CLOSE.banned ? "banned.still" : "link.failed";
    return [{ ...state, link: { ...lost, is: "stopped" }, refused: { ...state.refused, still } }, say(still)];
  }
  if (code === CLOSE.replaced)
    return [
      { ...state, phase: "replaced", link: { ...lost, is: "stopped" }, sheet: null, me: { ...state.me, token: null, resume: false } },
      { do: "token" },
      focus("h1"),
    ];
  const gone = state.refused?.measure === "age" ? "minor" : "refused";
  if (code === CLOSE.banned) {
    // a ban of the user ends all pairs; of their network, none
    const prefs = state.refused?.code === "banned" && !state.refused.network ? { ...state.prefs, pairs: [] } : state.prefs;
    const over = { ...state, prefs, here: [], phase: gone, link: { ...lost, is: "stopped" }, sheet: null };
    return [over, { do: "token" }, ...(prefs === state.prefs ? [] : [{ do: "keep", pairs: { dropped: state.prefs.pairs } }]), focus("h1")];
  }
  if (OUR_FAULT.includes(code)) {
    const broken = { ...state, link: { ...lost, is: "stopped", why: "broken" }, refused: { code } };
    return broken.phase === "chat" || broken.phase === "waiting" ? end(broken, "broken", now) : [{ ...broken, notice: "stopped" }];
  }
  if (!COME_BACK.includes(code)) return [{ ...state, link: { ...lost, is: "stopped" }, notice: "stopped" }];
  const steady = state.link.openedAt && now - state.link.openedAt > STEADY;
  const link = {
    ...lost,
    is: code === CLOSE.restart ? "restarting" : "lost",
    attempt: steady ? 0 : state.link.attempt + 1,
    since: state.link.since || now,
    openedAt: 0,
    retryAt: 0,
    why: code === CLOSE.restart ? "restart" : code === CLOSE.flood ? "flood" : state.link.why,
  };
  const next = { ...state, link, notice: code === CLOSE.flood ? "flood" : state.notice, chat: state.chat && { ...state.chat, typing: null } };
  // the partner waits, and not for long; the server may have noticed the drop later
  const soon = state.phase === "chat" && now - link.since < 2000 * state.me.grace;
  return [next, unsay("chat.typing.said"), { do: "connect", attempt: link.attempt, after: (state.link.after ?? 0) * 1000, soon }, timer("lost", 1000)];
}

/**
 * Handle an error that announces a close, which says more than the close code. Before a restart each side gets that the other is lost: this
 * is the reason.
 */
function closing(state, { frame }, now) {
  const next = patch(state, "link", { after: frame.retry_after ?? 0 });
  if (frame.code === "restart" && state.ended?.cause === "lost" && now - state.ended.at < 2000)
    return [patch(next, "ended", { cause: "restart", count: null }), say("ended.restart")];
  if (["banned", "country", "removed"].includes(frame.code)) return [{ ...next, refused: frame }];
  return [frame.code === "busy" ? patch(next, "link", { why: "full" }) : next];
}

/** Take what operators say to all users. An announcement that was read stays hidden. */
export function service(state, { frame: { type: _, ...said } }) {
  const next = { ...state, service: { ...said, seen: state.service.seen } };
  const text = announced(next);
  const news = text && said.announcement.id !== state.service.announcement?.id ? [say("service.announced", { text })] : [];
  return [next, ...(said.maintenance && !state.service.maintenance ? [say("service.maintenance")] : []), ...news];
}

/** Return the announcement in the language of the page, else in English, else in any; null if there is nothing to show. */
export function announced({ service: { announcement: said, seen }, reads, now }) {
  if (!said || said.id === seen || (said.until && said.until * 1000 <= now)) return null;
  return said.texts[reads] ?? said.texts.en ?? Object.values(said.texts)[0];
}

/** Go home: during maintenance no chat begins. A chat that Next wanted to leave is left. */
export const maintained = (state) =>
  and(post({ ...state, phase: "home", find: null, waiting: null, notice: null }, { type: "leave" }), (next) => [
    next,
    { do: "token" },
    say("service.maintenance"),
  ]);

const fresh = { phase: "home", chat: null, find: null, ended: null, refused: null };
const connect = (state) => [
  { ...patch(state, "link", { is: "connecting", retryAt: 0 }), notice: null },
  { do: "connect", now: true },
];

export const linkEvents = {
  open: (state) => opened(patch(state, "link", { after: 0 })),
  closed,
  retrying: (state, { at }) => [
    patch(state, "link", { retryAt: at }),
    ...(state.link.attempt === 5 ? [{ do: "alarm", key: "link.unreachable.said" }] : []),
  ],
  connecting: (state) => [patch(state, "link", { retryAt: 0 })],
  connect,
  here: (state) => connect({ ...state, ...fresh }),
  "refused.again": (state) => connect({ ...state, me: { ...state.me, token: null, resume: false }, owed: [], refused: { ...state.refused, still: null } }),
  online: (state) => [{ ...state, online: true }, { do: "wake" }],
  offline: (state) => [{ ...state, online: false }, { do: "alarm", key: "link.offline" }, { do: "cut" }],
  visible: (state, { on }) => [
    { ...state, visible: on, chat: state.chat && on ? { ...state.chat, unseen: 0, fresh: false } : state.chat },
    ...(on ? [{ do: "wake" }] : []),
    ...(on && state.phase === "home" ? [{ do: "status" }, ...askHere({ ...state, visible: on })] : []),
  ],
  "service.seen": (state) => [patch(state, "service", { seen: state.service.announcement?.id })],
  wake: (state) => [state, { do: "wake" }],
  config: (state, { config }) => [{ ...state, config }],
  "timer.lost": (state, _, now) => [{ ...state, now }],
  "timer.notice": (state) => [
    {
      ...state,
      notice: ["flood", "failed", "cannot", "forgot", "reported"].includes(state.notice) ? null : state.notice,
    },
  ],
};
export const linkFrames = { hello, resumed, service };
export { closing, noSession };
