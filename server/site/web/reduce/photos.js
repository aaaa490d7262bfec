// Handle pictures that the two send each other, once both allow it. chat.photos: reduce/faces.js. A picture is a line of its own kind:
// {key, from: "photo", by: me | them, after: seq, photo: {id, key, veil, url, state: sending | checking | coming | shown | gone | failed, open, why}}.
import { nameOf, partnerFace } from "../face.js";
import { SENT } from "../client/protocol.js";
import { and, call, focus, patch, post, say, timer } from "./state.js";
import { note, put } from "./talk.js";

const KEY = /^[\w-]{22}$/; // it becomes part of an address
const PATIENCE = (SENT.within + 30) * 1000; // ms from the request for a key to the result

const whoOf = (chat) => ({ who: nameOf(partnerFace(chat)) });
const known = (state, change) => patch(state, "chat", { photos: { ...state.chat.photos, ...change } });
const talking = ({ phase, chat }) => phase === "chat" && chat.role !== "spy";

/** Whether both allow pictures. */
export const areShared = ({ photos }) => !!photos?.can && photos.own && photos.theirs;
/** Whether the partner asks, and this user has neither answered nor declined. */
export const areAsked = ({ photos }) => !!photos?.can && photos.theirs && !photos.own && !photos.no;

/** Change the photo of the entries that pass a test. */
function change(state, test, more) {
  const lines = state.chat.lines.map((entry) => (entry.photo && test(entry.photo) ? { ...entry, photo: { ...entry.photo, ...more } } : entry));
  return patch(state, "chat", { lines });
}

/** Insert a picture after its line, and after the pictures that came before it. */
function insert(state, entry) {
  const { lines } = state.chat;
  const at = lines.findLastIndex((one) => (one.seq > 0 && one.seq <= entry.after) || (one.photo && one.after <= entry.after)) + 1;
  const place = entry.photo.state === "sending" || lines.slice(at).every((one) => !(one.seq > entry.after)) ? lines.length : at;
  return { ...patch(state, "chat", { lines: [...lines.slice(0, place), entry, ...lines.slice(place)] }), serial: state.serial + 1 };
}

const entryOf = (key, by, after, photo) => ({ key, from: "photo", by, after, text: "", photo: { open: by === "me", url: null, veil: null, why: null, ...photo } });
const newest = ({ chat }) => Math.max(chat.last, ...chat.lines.map(({ seq = 0 }) => seq));

// wishes

function allow(state, { on }) {
  if (!talking(state) || !state.chat.photos?.can || state.chat.photos.own === on) return [state];
  const { theirs } = state.chat.photos;
  const next = known({ ...state, sheet: state.sheet?.is === "photo" ? null : state.sheet }, { own: on, no: false });
  const [told, name] = on ? (theirs ? [true, "photo.on"] : [false, "photo.asked"]) : [theirs, "photo.off"];
  return and(post(told ? put(next, note(next, name)) : next, { type: "pictures", allow: on }), (after) => [after, say(name), ...(theirs && on ? [focus("chat")] : [])]);
}

/** Decline: the partner is not told. */
const decline = (state) => (talking(state) ? [known(state, { no: true }), focus("chat")] : [state]);

function allowed(state, { frame }) {
  if (!talking(state) || state.chat.photos.theirs === !!frame.allow) return [state];
  const { own } = state.chat.photos;
  const next = known(state, { theirs: !!frame.allow });
  if (own) return [put(next, note(next, frame.allow ? "photo.on" : "photo.off")), say(frame.allow ? "photo.on" : "photo.off")];
  return [next, ...(areAsked(next.chat) ? [say("photo.wants", whoOf(next.chat)), ...call(next, "calling.message")] : [])];
}

/** Answer the key: go to the question, or choose a picture, or ask. */
function pressed(state) {
  if (!talking(state) || !state.chat.photos?.can) return [state];
  if (areAsked(state.chat)) return [state, focus("#photo-allow")];
  return areShared(state.chat) ? choose(state) : allow(state, { on: true });
}

// sending

const choose = (state) => (talking(state) && areShared(state.chat) ? [{ ...state, sheet: null }, { do: "photo", op: "choose" }] : [state]);
const prepared = (state, { url, bytes }) => (talking(state) ? [{ ...state, sheet: { is: "photo", url, bytes } }] : [state]);
const unreadable = (state) => (talking(state) ? [{ ...state, sheet: { is: "photo", url: null, bad: true } }, say("photo.bad")] : [state]);

function give(state) {
  const { url } = state.sheet ?? {};
  if (!talking(state) || !url || !areShared(state.chat)) return [{ ...state, sheet: null }];
  const id = `p${state.serial}`;
  const next = insert({ ...state, sheet: null }, entryOf(id, "me", newest(state), { id, url, state: "sending", at: state.now }));
  return and(post(next, { type: "picture", id }), (after) => [after, { do: "photo", op: "name", id, url }, timer("photo", PATIENCE), focus("chat")]);
}

/** Send a picture again that was not sent. */
function retry(state, { id }) {
  const entry = talking(state) && state.chat.lines.find(({ photo }) => photo?.id === id && photo.state === "failed");
  if (!entry || !areShared(state.chat)) return [state];
  const next = change(state, (photo) => photo.id === id, { state: "sending", at: state.now, why: null, lost: false });
  return and(post(next, { type: "picture", id }), (after) => [after, timer("photo", PATIENCE)]);
}

const remove = (state, { id }) => [state.chat ? patch(state, "chat", { lines: state.chat.lines.filter(({ photo }) => photo?.id !== id) }) : state];

const upload = (state, { frame: { id, key } }) =>
  state.chat && KEY.test(key)
    ? [change(state, (photo) => photo.id === id, { key }), { do: "photo", op: "post", id, key, within: SENT.within * 1000 }]
    : [state];

/** Note what came of an upload; whether the picture is shown follows in `picture` or `error`. One whose key is gone is sent once more. */
function posted(state, { id, status }) {
  if (!state.chat) return [state];
  const failed = { state: "failed", why: status === 415 ? "not" : null, lost: status === 404 };
  return onceMore(change(state, (photo) => photo.id === id && photo.state === "sending", status === 204 ? { state: "checking" } : failed));
}

/** Send pictures once more by themselves whose key or result was lost, as when the chat moved to another process. */
function onceMore(state) {
  const lost = talking(state) ? state.chat.lines.filter(({ photo }) => photo?.lost && !photo.again) : [];
  return lost.reduce((all, { photo: { id } }) => and(all, (next) => retry(change(next, (photo) => photo.id === id, { again: true }), { id })), [state]);
}

/** Handle a refusal: of a picture by its id, or of the wish. */
function refused(state, { code, id }) {
  if (!state.chat) return [state];
  const why = code === "no_picture" ? "not" : code === "too_fast" ? "soon" : code === "pictures" ? "off" : null;
  if (id === undefined) {
    if (!state.chat.photos.own) return [state];
    const back = known(state, { own: false, can: code === "too_fast" });
    return [put(back, note(back, code === "too_fast" ? "photo.failed.soon" : "photo.failed.off")), say(code === "too_fast" ? "photo.failed.soon" : "photo.failed.off")];
  }
  return [change(state, (photo) => photo.id === id && photo.state !== "shown", { state: "failed", why }), say(why ? `photo.failed.${why}` : "photo.failed")];
}

/** Mark what got no answer in time. */
function late(state, _, now) {
  if (!state.chat) return [state];
  const open = ({ state: is }) => is === "sending" || is === "checking";
  const [next, ...effects] = onceMore(change(state, (photo) => open(photo) && now - photo.at >= PATIENCE - 500, { state: "failed", lost: true }));
  return [next, ...effects, ...(next.chat.lines.some(({ photo }) => photo && open(photo)) ? [timer("photo", 5000)] : [])];
}

// receiving

/** Add a picture that was announced, live or by `resumed`; one that the log has is only marked as shown. */
function add(state, { key, seq, veil = null, own, id }, live) {
  if (!KEY.test(key)) return [state];
  const mine = state.chat.lines.find(({ photo }) => photo && (photo.key === key || (own && id && photo.id === id)));
  if (mine) {
    if (mine.photo.state === "shown" || mine.by === "them") return [state];
    return [change(state, (photo) => photo === mine.photo, { key, veil, state: "shown" }), say(veil === "nudity" ? "photo.veiled" : "photo.sent")];
  }
  const next = insert(state, entryOf(`p${key}`, own ? "me" : "them", seq, { id: `p${key}`, key, veil, state: "coming" }));
  const told = live && !own ? [say("photo.came", whoOf(state.chat)), ...(state.visible ? [] : call(state, "calling.message"))] : [];
  return [patch(next, "chat", { unseen: state.visible || !live ? 0 : state.chat.unseen + 1 }), { do: "photo", op: "get", key }, ...told];
}

const came = (state, { frame }) => (talking(state) ? add(state, frame, true) : [state]);
const got = (state, { key, url }) => (state.chat ? [change(state, (photo) => photo.key === key, url ? { url, state: "shown" } : { state: "gone" })] : [state]);
const again = (state, { key }) => (state.chat ? [change(state, (photo) => photo.key === key, { state: "coming" }), { do: "photo", op: "get", key }] : [state]);

/** Show a blurred picture, or blur it again. One with a veil is shown by a second press. */
function turn(state, { key }) {
  const entry = state.chat?.lines.find((one) => one.photo?.key === key);
  if (!entry) return [state];
  const { open, veil } = entry.photo;
  return [change(state, (photo) => photo.key === key, { open: open === true ? false : veil && !open ? "ask" : true })];
}

/** Add the pictures of a resumed chat, once its lines are there; and forget those that no chat of the page shows any more. */
export function followPhotos(before, result) {
  const [state, ...effects] = result;
  const { chat } = state;
  let all = result;
  if (chat?.photos?.came?.length && !chat.replay && !chat.reloaded)
    all = chat.photos.came.reduce((sum, one) => and(sum, (next) => add(next, one, false)), [known(state, { came: [] }), ...effects]);
  if (before.chat && before.chat.id !== chat?.id && before.chat.lines.some(({ photo }) => photo)) {
    const kept = [all[0].chat, all[0].behind?.chat, all[0].last?.chat].flatMap((one) => one?.lines ?? []).flatMap(({ photo }) => photo?.url ?? []);
    all = [...all, { do: "photo", op: "forget", kept }];
  }
  return all;
}

export const photoEvents = {
  "photo.allow": allow,
  "photo.no": decline,
  "photo.key": pressed,
  "photo.choose": choose,
  "photo.prepared": prepared,
  "photo.unreadable": unreadable,
  "photo.give": give,
  "photo.retry": retry,
  "photo.remove": remove,
  "photo.posted": posted,
  "photo.refused": refused,
  "photo.got": got,
  "photo.again": again,
  "photo.turn": turn,
  "photo.failed": (state, { id, key }) => (id ? posted(state, { id, status: 0 }) : key ? got(state, { key }) : unreadable(state)),
  "timer.photo": late,
};
export const photoFrames = { pictures: allowed, upload, picture: came };
