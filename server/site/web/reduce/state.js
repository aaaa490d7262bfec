// Define the state of the page, its first value, and the three helpers that every part of `reduce` uses.
//
//   phase   home | minor | ready | waiting | unread | chat | ended | refused | replaced
//   link    {is: connecting | open | lost | restarting | stopped, settled, since, attempt, retryAt, why}
//           settled: `hello` was received and, after a `resume`, its answer; only then frames may be sent
//   me      {token, resume: whether a session may be resumed, online: number of users, grace: seconds}
//   reads   the language of the page
//   find    {mode, interests, language}: the search, as it is sent        waiting  {accepts, widens, at, others, quiet}
//   here    places in prefs.pairs of the users who search now       calls   {place: mode} of those who call this search
//   elsewhere: another tab of this browser searches too
//   chat    {id, role, side: 1 or 2, or null for a watcher, common, language, college, question, asked, lines, ordinal, last, typing, away, replay, paused, tone, draft, quote: {key: of the line, or null, text: quoted lines} or null, hung, tips}
//   line    {key, from: me | them | 1 | 2 | note, text, state: queued | sending | sent | refused, late, ordinal, seq}
//   video   reduce/video.js: own devices, and what is known of the call beside its streams (chat.call: {offer, ice}; chat.hung: it was ended)
//   ended   {cause, at, count: seconds to the next search or null, unknown: the server has forgotten this chat, typed: at}
//   last    {chat, ended, saved} of the chat before this one or this search, or null
//   behind  {chat, find, last, token: null until the server has kept the seat, until, at}: the chat that Next left a moment ago, or null
//   looking {chat}, of a chat that was reported: it is left when its pictures are taken (reduce/pictures.js); or null
//   service {announcement: {id, texts: by language, until}, maintenance: {until}, read_only}: what operators say to all; seen: id of the announcement that was read
//   armed   leave | next | swipe: the action of the second press; or false
//   sheet   {is: age | report | save | more | keys | settings | ask | discuss | college, ...} or null
//   college {domain, proof, expires: unix seconds, want: any | same} or null

export const defaults = {
  tags: [],
  words: "",
  language: "en",
  theme: "system",
  size: 100,
  sounds: false,
  called: false, // the question about the tone was answered
  notify: false,
  auto: false,
  confirm: true,
  sure: false, // ask before the next stranger
  adult: false,
  minor: 0,
  statement: 0,
  nothing: false,
  avoid: [], // tokens of users not to meet again, the newest last
  hush: false, // begin a call by text: no sound before the curtain is lifted
  pairs: [], // users who both chose to meet again (pairs.js), the newest last
  hide: false,
  letters: true,
};

/** State of video before it was requested. `local` and `remote` count the changes of a stream; 0: no stream. */
export const noVideo = {
  passed: false,
  told: false, // the notice about picture checks was shown
  asked: 0,
  problem: null,
  local: 0,
  has: { camera: false, microphone: false },
  on: { camera: true, microphone: true },
  ownBlur: "none",
  blurs: [],
  devices: { cameras: [], microphones: [], speakers: [] },
  chosen: { camera: "", microphone: "", speaker: "" },
  link: "connecting",
  slow: 0,
  blurred: true, // the own curtain is drawn
  looked: false,
  veil: false, // blurred by the server
  remote: 0,
  theirs: { camera: true, microphone: true, curtain: null }, // curtain: drawn; null: they did not say
  framed: false, // a frame of their camera arrived
  quality: null,
  silent: false,
  whole: false,
  open: false,
  full: false, // the call has the whole screen
  seen: 0,
  volume: 1,
};

export const first = (extra = {}) => ({
  phase: "home",
  now: 0,
  link: { is: "connecting", settled: false, since: 0, attempt: 0, retryAt: 0, why: null },
  online: true,
  visible: true,
  me: { token: null, resume: false, online: null, grace: 15 },
  config: { modes: ["text"], age: "ask" },
  prefs: { ...defaults },
  reads: "en",
  form: { problem: null, pulse: null },
  find: null,
  waiting: null,
  elsewhere: false,
  here: [],
  calls: {},
  chat: null,
  was: null,
  last: null,
  behind: null,
  ended: null,
  sheet: null,
  armed: false,
  held: false,
  notice: null,
  refused: null,
  service: {},
  owed: [],
  serial: 0,
  saved: null,
  can: { keep: true, cookies: true, install: false, video: true },
  video: noVideo,
  ...extra,
});

/** Run `next` on the state of a result, and append its effects. */
export const and = ([state, ...effects], next) => {
  const [after, ...more] = next(state);
  return [after, ...effects, ...more];
};

export const patch = (state, name, change) => ({ ...state, [name]: { ...state[name], ...change } });

/** Send a frame now, or as soon as the connection is settled. */
export const post = (state, frame) =>
  state.link.settled ? [state, { do: "send", frame }] : [{ ...state, owed: [...state.owed, frame].slice(-8) }];

export const say = (key, values) => ({ do: "say", key, values });
/** Withdraw an announced sentence that is no longer true, if it is the last one. */
export const unsay = (key) => ({ do: "unsay", key });
export const focus = (on) => ({ do: "focus", on });
export const timer = (name, ms) => ({ do: "timer", name, ms });

/** Notify a user who is elsewhere as they chose; one who has waited for long (`quiet`) may look away from the screen. */
export const call = ({ prefs, visible }, notice, quiet = false) => {
  const tone = prefs.sounds && (!visible || quiet);
  const told = prefs.notify && !visible && notice;
  return prefs.sounds || told ? [{ do: "call", tone, buzz: prefs.sounds, notice: told }] : [];
};
