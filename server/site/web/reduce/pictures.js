// Still pictures of a call are checked: what the server asks for is taken (video/snap.js), or it is said why not. And what follows from
// them: a veil over the stranger, a call that is ended, a search that is refused.
import { media, seek } from "./find.js";
import { and, focus, patch, post, timer } from "./state.js";
import { note, put } from "./talk.js";
import { given, stays, studying, videoEvents } from "./video.js";

const ASKED = 1500; // ms that who reported waits to be asked for pictures
const TAKEN = 3000; // ms in which they are taken then
const NONCE = /^[\w-]{22}$/; // it becomes part of an address

const within = (value, least, most) => Math.min(most, Math.max(least, Number(value) || least));

/** A camera that is asked for, and will be here or not, is not off. */
const coming = ({ asked, on }) => asked > 0 && asked < 2 && on.camera;

/** What a camera that is off cannot give is said at once; the rest is taken. */
function snap(state, { frame }) {
  const { nonce } = frame;
  if (!((state.phase === "chat" && state.chat.call) || stays(state)) || !NONCE.test(nonce)) return [state];
  const { video } = state;
  const theirs = video.theirs.camera;
  const mine = !!frame.mine && (given(video).camera || coming(video));
  const off = !theirs || (!!frame.mine && !mine);
  const how = { tiles: Math.round(within(frame.tiles, 1, 6)), gap: within(frame.gap, 50, 2000), within: within(frame.within, 1, 30) };
  return [
    state,
    ...(off ? [{ do: "send", frame: { type: "nosnap", nonce, why: "camera" } }] : []),
    ...(theirs || mine ? [media("snap", { nonce, theirs, mine, ...how, said: off, chat: state.chat.id })] : []),
    ...(stays(state) ? [timer("looked", TAKEN)] : []),
  ];
}

/** It could not be taken after all. Whoever is away is asked for nothing. */
const cannot = (state, { nonce, why }) =>
  state.phase === "chat" && state.chat.call && state.link.settled ? [state, { do: "send", frame: { type: "nosnap", nonce, why } }] : [state];

export const pictured = ({ chat, video, link }) => !!chat.call && video.told && link.settled;

/** A report asks for pictures, and what they show is over when one leaves: who reported is done, and the call is not for a moment. */
export const stay = (state) => [{ ...state, looking: state.chat.id }, timer("looked", ASKED)];

const looked = (state) => [state.looking ? { ...state, looking: null } : state];

/** They are taken, or cannot be any more: now one leaves. A search leaves by itself. */
export function follow(before, result) {
  const [after] = result;
  if (!stays(before) || (stays(after) && after.link.settled)) return result;
  return and(result, (state) => (state.phase === "waiting" ? looked(state) : post({ ...state, looking: null }, { type: "leave" })));
}

/** The call is over, the conversation is not; why stands in it. */
export const hang = (state) => put(patch(state, "chat", { call: null, hung: true }), note(state, "call.unchecked"));

const ofCall = new Set(["call", "pictures"]);

/** What the person blurred by hand is theirs to show: a veil comes and goes beside it. */
function veil(state, { frame: { on, why } }) {
  if (state.phase !== "chat" || !state.chat.call) return [state];
  if (why === "unchecked" && on) return [hang({ ...state, sheet: ofCall.has(state.sheet?.is) ? null : state.sheet }), focus("chat")];
  if (why !== "nudity" || !!on === state.video.veil) return [state];
  const open = state.video.open && !on; // on a phone the card is behind the messages
  return [patch(state, "video", { veil: !!on, open }), ...(on ? [{ do: "alarm", key: "call.nudity" }] : [])];
}

/**
 * No video without pictures. Who was not told of them is told, and decides; who was has none for a while (`after`: seconds), and may
 * write meanwhile.
 */
function refused(state, { after }, now) {
  if (state.phase !== "waiting") return [state];
  if (!after && !state.video.told) return videoEvents["ready.open"]({ ...state, config: { ...state.config, pictures: true } }, {});
  const sheet = { is: "novideo", until: after ? now + after * 1000 : null, extra: studying(state) };
  return and(post({ ...state, phase: "home", find: null, waiting: null, notice: null, sheet }, { type: "leave" }), (next) => [next, { do: "token" }]);
}

export const pictureEvents = {
  "snap.not": cannot,
  "snap.done": looked,
  "timer.looked": looked,
  "snaps.refused": refused,
  "snaps.text": (state, _, now) => (state.sheet?.is === "novideo" ? seek(state, { mode: "text", extra: state.sheet.extra }, now) : [state]),
};
export const pictureFrames = { snap, veil };
