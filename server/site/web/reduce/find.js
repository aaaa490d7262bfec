// Handle the search: topics, age, find, waiting, and its end.
import { BOUNDS } from "../client/protocol.js";
import { askHere, tokensOf } from "../pairs.js";
import { and, focus, patch, post, say, timer } from "./state.js";
import { unsent } from "./talk.js";

const COUNT = 30_000; // ms between two requests for the number of users, while waiting
const USUAL = 1500; // ms after which a waiting user may see the usual wait; a user who is matched at once asks nothing
const MINOR_KEPT = 24 * 3600 * 1000;

/** Split topics as users type them: separated by commas or line ends, without invisible characters, none twice. */
export const split = (text) =>
  text
    .split(/[,\n\r\t;、，،]/)
    .map(tidy)
    .filter((tag) => plain(tag) !== "");
const tidy = (text) =>
  text
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => (c === "\u200d" || c === "\u200c" ? c : ""))
    .replace(/\s+/g, " ")
    .trim();
/** Normalise a topic roughly as the server does: compatibility forms, no case, nothing invisible. The server decides; this avoids a refusal. */
const plain = (tag) =>
  tag
    .normalize("NFKC")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKC")
    .replace(/[\p{C}\ufe00-\ufe0f\u034f\u115f\u1160\u3164\uffa0]/gu, "")
    .trim();
const long = (tag) => [...tag].length > BOUNDS.interest || [...plain(tag)].length > BOUNDS.interest;

/** Return those stored topics that are allowed. */
export const usable = (tags) =>
  tags
    .flatMap(split)
    .filter((tag) => !long(tag))
    .slice(0, BOUNDS.interests);

function addTags(state, { text }) {
  let tags = state.prefs.tags;
  let [problem, pulse, added, over] = [null, null, null, null];
  for (const tag of split(text)) {
    const twin = tags.findIndex((other) => plain(other) === plain(tag));
    if (twin >= 0) [problem, pulse] = ["twice", twin];
    else if (long(tag)) [problem, over] = ["long", tag];
    else if (tags.length >= BOUNDS.interests) problem = "full";
    else [tags, added] = [[...tags, tag], tag];
  }
  const next = { ...patch(state, "prefs", { tags }), form: { problem, pulse, ...(over ? { over } : {}) } };
  const told = problem ? say(`home.${problem}`) : added && say("home.added", { topic: added, n: tags.length });
  return [next, ...(added ? [{ do: "keep" }] : []), ...(told ? [told] : [])];
}

function removeTag(state, { index }) {
  const gone = state.prefs.tags[index];
  if (gone === undefined) return [state];
  const tags = state.prefs.tags.filter((_, at) => at !== index);
  const next = { ...patch(state, "prefs", { tags }), form: { problem: null, pulse: null } };
  return [
    next,
    { do: "keep" },
    say("home.removed", { topic: gone, n: tags.length }),
    focus(tags[index] ? `.tagbox li:nth-child(${index + 1}) button` : "#topics"),
  ];
}

/** Return the frame of the search. */
export const frameOf = (state) => ({
  type: "find",
  mode: state.find.mode,
  ...(state.find.interests.length ? { interests: state.find.interests } : {}),
  language: state.find.language,
  ...(state.find.language === "*" && { writes: state.prefs.language === "*" ? state.reads : state.prefs.language }),
  ...(state.config.adult ? { adult: true } : {}),
  ...(state.prefs.avoid.length && { avoid: state.prefs.avoid }),
  ...(state.prefs.pairs.length && !state.find.extra?.role && { pairs: tokensOf(state) }),
  ...(state.config.in_chat && !state.find.extra?.role && { pictures: true }),
  ...state.find.extra,
});

export const media = (op, more = {}) => ({ do: "media", op, ...more });

/** Ask for camera and microphone. */
export const asking = (state, sound = false) => [
  patch(state, "video", { asked: 1, problem: null }),
  media("ask", { ...state.video.chosen, sound }),
  timer("media", 1000),
];

/**
 * Return the step before a video search, or null to go on: whether this page can do video, and the user has seen their picture in this
 * visit and the notice about checks.
 */
export function beforeVideo(state, find) {
  if (!state.can.video)
    return [{ ...state, phase: "home", notice: "cannot", sheet: null }, say("home.video.cannot"), timer("notice", 12000)];
  if (state.video.passed && (state.video.told || !state.config.pictures)) return null;
  return and(asking({ ...state, phase: "ready", find, sheet: null, ended: null, was: state.chat?.id ?? state.was, chat: null }), (next) => [
    next,
    focus("h1"),
  ]);
}

/** Add `relay` if the user hides their address and the server can; `snaps` if the notice about pictures was shown. */
const extraOf = ({ prefs, config, video }, { relay: _, ...extra } = {}) => ({
  ...extra,
  ...(prefs.hide && config.relay && { relay: true }),
  ...(video.told && { snaps: true }),
});

/** Keep the chat that a search leaves, as it was: for ten minutes it can still be reported and saved. */
export function leftBehind(state, now) {
  if (!state.chat) return state.last;
  if (state.ended) return { chat: state.chat, ended: { ...state.ended, count: null }, saved: state.saved };
  return { chat: unsent(state).chat, ended: { cause: "me", at: now, count: null, unknown: false }, saved: state.saved };
}

/** Start or change the search. `want` overrides; the age question comes first, once. */
export function seek(state, want, now) {
  const find = { mode: "text", interests: state.prefs.tags, language: state.prefs.language, ...want };
  if (state.config.age !== "off" && !state.prefs.adult) {
    if (now - state.prefs.minor < MINOR_KEPT) return [{ ...state, phase: "minor", sheet: null }, focus("h1")];
    return [{ ...state, sheet: { is: "age", find } }];
  }
  if (find.mode === "video") {
    const first = beforeVideo(state, find);
    if (first) return first;
    find.extra = extraOf(state, find.extra);
  }
  const next = {
    ...state,
    phase: "waiting",
    find,
    waiting: null,
    here: [],
    calls: {},
    ended: null,
    sheet: null,
    armed: false,
    notice: null,
    saved: null,
    was: state.chat?.id ?? state.was,
    last: leftBehind(state, now),
    chat: null,
  };
  const entered = state.phase === "waiting" ? [] : [focus("h1")];
  return [next, ...(next.link.settled ? [{ do: "send", frame: frameOf(next) }] : []), ...entered, { do: "token" }];
}

const answerAge = (state, { adult }, now) => {
  if (!adult) {
    const next = patch(state, "prefs", { minor: now, adult: false, tags: [], pairs: [] });
    return [{ ...next, college: null, phase: "minor", sheet: null, here: [] }, { do: "forget", minor: true }, { do: "keep" }, focus("h1")];
  }
  return and([patch(state, "prefs", { adult: true, minor: 0, statement: state.config.privacy ?? 0 }), { do: "keep" }], (next) =>
    seek(next, state.sheet?.find ?? {}, now),
  );
};

/** Stop the search: home, focus on the button that started it. */
const stop = (state) =>
  and(post({ ...state, phase: "home", find: null, waiting: null, notice: null }, { type: "leave" }), (next) => [
    next,
    { do: "token" },
    focus(`#start-${state.find?.mode ?? "text"}`),
    { do: "status" },
    ...askHere(next),
  ]);

function waiting(state, { frame }, now) {
  if (state.phase === "chat" && state.find) {
    // this `find` crossed with a match
    return waiting({ ...state, phase: "waiting", was: state.chat.id, chat: null }, { frame }, now);
  }
  if (state.phase !== "waiting") return [state];
  const before = state.waiting?.accepts;
  const told = state.find.interests.length && before && before !== frame.accepts ? [say(`wait.said.${frame.accepts}`)] : [];
  const next = {
    accepts: frame.accepts,
    widens: frame.widens ?? null,
    others: !!frame.others,
    at: now,
    since: state.waiting?.since ?? now,
    quiet: state.waiting?.quiet ?? false,
  };
  return [
    { ...state, waiting: next, notice: null },
    ...told,
    ...(state.waiting ? [] : [timer("usual", USUAL)]),
    ...(frame.accepts === "anyone" && !next.quiet ? [timer("quiet", 15000)] : []),
  ];
}

/** Request the number of users again, now and while waiting: the number of `hello` is as old as the connection. */
const counted = (state) => [patch(state, "me", { online: null }), { do: "status" }, timer("count", COUNT)];

const quiet = (state) =>
  state.waiting?.accepts === "anyone"
    ? and(counted(patch(state, "waiting", { quiet: true })), (next) => [next, say("wait.quiet")])
    : [state];

export const findEvents = {
  "tag.add": addTags,
  "tag.remove": removeTag,
  "tag.typed": (state) => (state.form.problem ? [{ ...state, form: { problem: null, pulse: null } }] : [state]),
  start: (state, { mode = "text", extra }, now) => seek(state, { mode, extra }, now),
  age: answerAge,
  stop: (state) => (state.phase === "waiting" ? stop(state) : [state]),
  anyone: (state, _, now) => (state.phase === "waiting" ? seek(state, { ...state.find, interests: [] }, now) : [state]),
  elsewhere: (state, { on }) =>
    on === state.elsewhere ? [state] : [{ ...state, elsewhere: on }, ...(on && state.phase === "waiting" ? [say("wait.elsewhere")] : [])],
  widen: (state, _, now) => (state.phase === "waiting" ? seek(state, { ...state.find, language: "*" }, now) : [state]),
  home: (state, _, now) =>
    and(
      [{ ...state, phase: "home", last: leftBehind(state, now), chat: null, ended: null, find: null, was: state.chat?.id ?? state.was, sheet: null }],
      (next) => [next, focus("h1"), { do: "token" }, { do: "status" }, ...askHere(next)],
    ),
  status: (state, { status }) => [Number.isInteger(status.online) ? { ...patch(state, "me", { online: status.online }), status, service: { ...status.service, seen: state.service.seen } } : state],
  "timer.quiet": quiet,
  "timer.here": (state) => [state, ...askHere(state)],
  "timer.count": (state) => (state.waiting?.quiet ? counted(state) : [state]),
  "timer.find": (state) =>
    state.phase === "waiting" && state.link.settled
      ? [
          { ...state, notice: null },
          { do: "send", frame: frameOf(state) },
        ]
      : [state],
};
export const findFrames = { waiting };
