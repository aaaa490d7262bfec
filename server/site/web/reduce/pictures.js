// Handle the checks of pictures in a call: a requested picture is taken (video/snap.js), or the reason why not is sent. And the results: a
// veil over the stranger, the end of the call, a refused search.
import { SNAP } from "../client/protocol.js";
import { media, seek } from "./find.js";
import { and, focus, patch, post, timer } from "./state.js";
import { note, put } from "./talk.js";
import { given, isShown, stays, studying, videoEvents } from "./video.js";

const ASKED = 1500; // ms that a reporter waits for a request for pictures
const TAKEN = 3000; // ms in which the pictures are then taken
const NONCE = new RegExp(`^[\\w-]{${SNAP.nonce}}$`); // it becomes part of an address

const within = (value, least, most) => Math.min(most, Math.max(least, Number(value) || least));

/** Whether a camera is requested and not decided yet: it is not off. */
const coming = ({ asked, on }) => asked > 0 && asked < 2 && on.camera;

/** Answer for a camera that is off at once; take the other pictures. */
function snap(state, { frame }) {
  const { nonce } = frame;
  if (!((state.phase === "chat" && state.chat.call) || stays(state)) || !NONCE.test(nonce)) return [state];
  const { video } = state;
  const shown = isShown(video); // behind a curtain there is no picture of either
  const theirs = video.theirs.camera && shown;
  const mine = !!frame.mine && shown && (given(video).camera || coming(video));
  const off = !theirs || (!!frame.mine && !mine);
  const how = { tiles: Math.round(within(frame.tiles, 1, 6)), gap: within(frame.gap, 50, 2000), within: within(frame.within, 1, 30) };
  return [
    state,
    ...(off ? [{ do: "send", frame: { type: "nosnap", nonce, why: "camera" } }] : []),
    ...(theirs || mine ? [media("snap", { nonce, theirs, mine, ...how, said: off, chat: state.chat.id })] : []),
    ...(stays(state) ? [timer("looked", TAKEN)] : []),
  ];
}

/** Report that a picture could not be taken. Disconnected clients are asked for nothing. */
const cannot = (state, { nonce, why }) =>
  state.phase === "chat" && state.chat.call && state.link.settled ? [state, { do: "send", frame: { type: "nosnap", nonce, why } }] : [state];

export const pictured = ({ chat, video, link }) => !!chat.call && video.told && link.settled;

/**
 * Delay leaving after a report, which requests pictures that only a running call can give: the report is done, and the call goes on for a
 * moment.
 */
export const stay = (state) => [{ ...state, looking: state.chat.id }, timer("looked", ASKED)];

const looked = (state) => [state.looking ? { ...state, looking: null } : state];

/** Leave once the pictures are taken, or cannot be any more. A search ends the chat by itself. */
export function follow(before, result) {
  const [after] = result;
  if (!stays(before) || (stays(after) && after.link.settled)) return result;
  return and(result, (state) => (state.phase === "waiting" ? looked(state) : post({ ...state, looking: null }, { type: "leave" })));
}

/** End the call, not the chat; the reason is shown in it. */
export const hang = (state, why = "call.unchecked") => put(patch(state, "chat", { call: null, hung: true }), note(state, why));

const ofCall = new Set(["call", "pictures"]);

/** Set or remove a veil. A picture that the user blurred is theirs to show, beside the veil. */
function veil(state, { frame: { on, why, by } }) {
  if (state.phase !== "chat" || !state.chat.call) return [state];
  if (why === "unchecked" && on) return [hang({ ...state, sheet: ofCall.has(state.sheet?.is) ? null : state.sheet }, by ? "call.stopped" : undefined), focus("chat")];
  if (why !== "nudity" || !!on === state.video.veil) return [state];
  const open = state.video.open && !on; // on a phone the card is behind the messages
  return [patch(state, "video", { veil: !!on, open }), ...(on ? [{ do: "alarm", key: "call.nudity" }] : [])];
}

/**
 * Handle a video search that is refused because of pictures. A user who was not shown the notice gets it, and decides; one who was has no
 * video for a while (`after`: seconds), and may write meanwhile.
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
