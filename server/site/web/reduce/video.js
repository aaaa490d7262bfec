// Handle video: ready, the call beside the chat, blur, and which tracks are live. Streams are in video/media.js; here is their state.
import { asking, beforeVideo, media, seek } from "./find.js";
import { isHeld } from "./partner.js";
import { and, focus, patch, say, timer, unsay } from "./state.js";

const set = (state, change) => patch(state, "video", change);
/** Open the call again. If the server has lost its relay (`relay: false`) the user decides whether to continue without it. */
function opened(state, { relay = state.config.relay }) {
  const find = { mode: "video", interests: state.prefs.tags, language: state.prefs.language, extra: state.find?.extra };
  const on = { camera: true, microphone: true };
  const next = set({ ...state, config: { ...state.config, relay }, waiting: null, sheet: null }, { passed: false, on });
  return and(beforeVideo(next, find), (shown) => [shown, ...(relay === false ? [say("ready.hide.none")] : [])]);
}

/** Return the parts of a video search that a text search has too. */
export const studying = ({ find }) => (find?.extra?.college ? { college: find.extra.college, proof: find.extra.proof } : undefined);

function go(state, _, now) {
  if (state.phase !== "ready") return [state];
  return seek(set(state, { passed: true, told: !!state.config.pictures, problem: null }), { mode: "video", extra: state.find.extra }, now);
}

/** Begin a call with its chat, behind two curtains: no picture is sent or attached before both are lifted. */
const started = (state, again) => [
  set(state, {
    link: "connecting",
    slow: 0,
    blurred: true,
    looked: again && state.video.looked,
    framed: false,
    veil: again && state.video.veil,
    remote: 0,
    theirs: { camera: true, microphone: true, curtain: null },
    quality: null,
    silent: false,
    open: false,
    seen: 0,
    passed: true,
    told: state.video.told || (again && !!state.config.pictures), // shown before the page was reloaded
    asked: state.video.local ? state.video.asked : 1,
  }),
  media("call", { offer: state.chat.call.offer, ice: state.chat.call.ice, again }),
  timer("call.slow", 3000),
  timer("call.late", 12000),
];

/**
 * Return the running call. After a reload it begins when it is known which devices were off and blurred (reduce/next.js): nothing is shown
 * before.
 */
const calling = (state) => (state.phase === "chat" || stays(state)) && !state.chat.reloaded && state.chat.call;

/** Whether a reporter has not left yet: pictures of the stranger are still taken (reduce/pictures.js), and nothing is sent. */
export const stays = ({ phase, chat, looking }) => phase === "ended" && !!looking && chat?.id === looking;

/** Start the call of a reloaded page, which may be in one before this file is loaded. */
export const callHere = (state) => (calling(state) ? started(state, !!state.chat.call.again) : [state]);

const searching = ({ phase, find, ended, chat }) =>
  phase === "ready" ||
  (phase === "waiting" && find?.mode === "video") ||
  (phase === "chat" && !!chat?.call) ||
  (phase === "ended" && !!chat?.call && ended?.count != null);

/** Whether their curtain is lifted. A client that knows none says nothing, and its frames arrive. */
const isUp = ({ theirs: { curtain }, framed }) => curtain === false || (curtain == null && framed);

/** Whether the two see each other: both curtains are lifted. */
export const isShown = (video) => !video.blurred && isUp(video);

/** Whether both sides are silent, since the call begins by text. */
export const isHushed = ({ video, prefs }) => prefs.hush && video.blurred && !video.looked;

/** Return the tracks that are sent: the camera only while the two see each other. */
export const sent = (state) => ({ camera: isShown(state.video), microphone: !isHushed(state) });

/** Return what the partner can see and hear: a camera that is off, and one that does not exist, are the same to them. */
export const given = ({ on, has }) => ({ camera: on.camera && has.camera, microphone: on.microphone && has.microphone });
const told = (state) => {
  const { camera, microphone } = given(state.video);
  return { ...(state.video.local && { camera, microphone: microphone && !isHushed(state) }), curtain: state.video.blurred };
};
const giving = (state) => (state.phase === "chat" && state.link.settled ? [{ do: "send", frame: { type: "signal", media: told(state) } }] : []);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** React to a step: a call begins or ends, an unused camera is turned off, and the partner is sent what they get. */
export function follow(before, result) {
  const [after] = result;
  if (
    before.phase === after.phase &&
    before.chat === after.chat &&
    before.ended === after.ended &&
    before.link === after.link &&
    before.looking === after.looking &&
    before.video === after.video
  )
    return result;
  const [was, is] = [calling(before), calling(after)];
  let next = result;
  if (was && was !== is) next = [...next, media("hang")];
  if (is && was !== is) next = and(next, (state) => started(state, !!is.again));
  else if (is && after.link.settled && !before.link.settled) next = [...next, media("mend"), ...giving(after)];
  else if (is && before.chat.away && !after.chat.away) next = [...next, ...giving(after)]; // what they were sent meanwhile is lost
  if (is && was === is && isHeld(before.chat) !== isHeld(after.chat))
    next = [...next, media("hold"), ...(isHeld(after.chat) ? [] : [media("mend"), ...giving(after)])]; // signals were refused meanwhile
  if (is && was === is && before.video !== after.video && !same(told(before), told(after))) next = [...next, ...giving(after)];
  if (is && was === is && before.video !== after.video && !same(sent(before), sent(after))) next = [...next, media("hold")];
  if (
    after.phase === "waiting" &&
    before.phase !== "waiting" &&
    after.find?.mode === "video" &&
    !after.video.local &&
    after.video.asked !== 1
  )
    next = and(next, (state) => asking(state));
  if ((after.video.local || after.video.asked === 1) && !searching(after) && (searching(before) || before.phase !== after.phase)) {
    next = and(next, (state) => [set(state, { local: 0, asked: 0, has: { camera: false, microphone: false } }), media("stop")]);
  }
  return next;
}

/** Return the devices that are on. A missing device is not on: the next press asks for it. */
const turned = (state, change) => set(state, { on: { ...state.video.on, ...change } });

const during = (state, change) => (state.phase === "chat" && state.chat.call ? [set(state, change)] : [state]);

function toggled(state, { kind }) {
  if (!state.video.local) return [state];
  const on = { ...state.video.on, [kind]: !state.video.on[kind] };
  return [set(state, { on }), media(kind, { on: on[kind], chosen: state.video.chosen })];
}

function choose(state, { kind, id }) {
  const chosen = { ...state.video.chosen, [kind]: id };
  const next = set(state, { chosen, ...(kind === "camera" ? { on: { ...state.video.on, camera: true } } : {}) });
  return kind === "speaker" ? [next] : asking(next);
}

function nextCamera(state) {
  const { cameras } = state.video.devices;
  const at = cameras.findIndex(({ id }) => id === state.video.chosen.camera);
  return cameras.length > 1 ? choose(state, { kind: "camera", id: cameras[(Math.max(0, at) + 1) % cameras.length].id }) : [state];
}

/** Return the key of the sentence about what the partner does not send, or null. */
export const lacking = ({ camera, microphone }) => (camera ? (microphone ? null : "call.muted") : microphone ? "call.camera.off" : "call.off");

/** Record what the partner sends: of the named fields, those that are true or false. */
function gave(state, told) {
  const { theirs } = state.video;
  const now = { ...theirs };
  for (const name of Object.keys(theirs)) if (typeof told?.[name] === "boolean") now[name] = told[name];
  const [before, after] = [lacking(theirs), lacking(now)];
  const heard = before === after ? [] : after ? [say(after)] : [unsay(before)];
  const next = set(state, { theirs: now });
  if (isUp(next.video) === isUp(state.video)) return [next, ...heard];
  return [next, ...heard, say(isShown(next.video) ? "curtain.both" : isUp(next.video) ? "curtain.theirs" : "curtain.again")];
}

function signalled(state, { frame }) {
  if (state.phase !== "chat" || !state.chat.call) return [state];
  return frame.media ? gave(state, frame.media) : [state, media("hear", { part: frame })];
}

const live = (state) => {
  if (state.phase !== "chat" || !state.chat.call) return [state];
  return [set(state, { link: "live", slow: 0 }), ...giving(state)];
};

const slow = (step) => (state) =>
  state.phase === "chat" && state.chat.call && state.video.link !== "live"
    ? [set(state, { slow: step }), say(step === 2 ? "call.late" : "call.connecting")]
    : [state];

export const videoEvents = {
  "ready.go": go,
  "ready.stop": (state) =>
    state.phase === "ready" ? [{ ...state, phase: "home", find: null }, focus("#start-video"), { do: "status" }] : [state],
  "ready.open": opened,
  "ready.text": (state, _, now) => seek(state, { mode: "text", extra: studying(state) }, now),
  "media.ask": (state, { sound }) => asking(sound ? state : turned(state, { camera: true }), !!sound),
  "media.got": (state, { camera, microphone, blurs }) => [
    set(turned(state, { camera: camera && state.video.on.camera, microphone: microphone && state.video.on.microphone }), {
      asked: 2,
      problem: null,
      local: state.video.local + 1,
      has: { camera, microphone },
      blurs,
    }),
  ],
  "media.failed": (state, { why, camera = false, microphone = false }) => [
    set(state.phase === "chat" ? turned(state, { camera, microphone }) : state, { asked: 0, problem: why, has: { camera, microphone } }),
    { do: "alarm", key: `ready.${why}` },
  ],
  "media.gone": (state, { kind }) => {
    const name = kind === "video" ? "camera" : "microphone";
    return [
      set(turned(state, { [name]: false }), {
        has: { ...state.video.has, [name]: false },
        local: state.video.local + 1,
        problem: name === "camera" ? "gone" : state.video.problem,
      }),
      ...(name === "camera" ? [{ do: "alarm", key: "ready.gone" }] : []),
    ];
  },
  "media.devices": (state, { devices }) => [set(state, { devices })],
  "timer.media": (state) => (state.video.asked === 1 && !state.video.local ? [set(state, { asked: 1.5 }), say("ready.asking")] : [state]),
  choose,
  "camera.next": nextCamera,
  toggle: toggled,
  "own.blur": (state, { how }) => [set(state, { ownBlur: how }), media("blur", { how })],
  signal: (state, { part }) =>
    state.phase === "chat" && state.link.settled ? [state, { do: "send", frame: { type: "signal", ...part } }] : [state],
  show: (state) =>
    and(during(state, { blurred: false, veil: false, looked: true }), (next) => [
      next,
      ...(next === state ? [] : [say(isShown(next.video) ? "curtain.both" : "curtain.waiting")]),
      focus("chat"),
    ]),
  // the focus does not move: the next key must not show the partner again
  blur: (state) => (state.video.blurred ? [state] : and(during(state, { blurred: true }), (next) => [next, say("curtain.down")])),
  full: (state) => and(during(state, { open: false }), (next) => (next === state ? [next] : [next, { do: "full" }])),
  "full.is": (state, { on }) => during(state, { full: on }),
  messages: (state, { open }) => during(state, { open, seen: state.chat?.lines.length ?? 0 }),
  whole: (state, { on = !state.video.whole }) => during(state, { whole: on }),
  volume: (state, { value }) => during(state, { volume: value }),
  "call.live": live,
  "call.paused": (state) => and(during(state, { link: "paused" }), (next) => [next, say("call.paused"), timer("call.late", 12000)]),
  "call.failed": (state) => during(state, { link: "failed", slow: 2 }),
  "call.framed": (state) => (state.video.framed ? [state] : during(state, { framed: true })),
  "call.track": (state) => during(state, { remote: state.video.remote + 1 }),
  "call.quality": (state, { level }) =>
    and(during(state, { quality: level }), (next) => [next, ...(level === "bad" ? [say("call.quality.bad")] : [])]),
  "call.silent": (state, { on }) => during(state, { silent: on }),
  "call.relay": (state) => [...during(state, { link: "connecting", slow: 0 }), media("relay"), timer("call.late", 12000)],
  "timer.call.slow": slow(1),
  "timer.call.late": slow(2),
};
export const videoFrames = { signal: signalled };
