// Decide about users who both chose to meet again: the wish in a chat, its token, the pairs that search now, calls and their answers. Declining sends nothing.
import { faceOf, nameOf, partnerFace } from "../face.js";
import { askHere, entryOf, pairOf, tokensOf } from "../pairs.js";
import { BOUNDS } from "../client/protocol.js";
import { seek } from "./find.js";
import { and, call, focus, patch, post, say } from "./state.js";

/** Store what changed in the list: another tab may have changed the rest of it. */
const keep = (change) => ({ do: "keep", pairs: change });

/** Say that the partner should be met again. The same press once more asks for a token that was lost on the way. */
const befriend = (state) =>
  state.chat && state.chat.role !== "spy" && state.chat.friend !== "kept"
    ? and(post(patch(state, "chat", { friend: "asked" }), { type: "again", chat: state.chat.id }), (next) => [next, say("keep.asked")])
    : [state];

/** Store the token of a pair. In a chat that was a call it replaces the one by which the two met. */
function pair(state, { frame: { chat, token, until } }) {
  const shown = [state.chat, state.last?.chat].find((one) => one?.id === chat);
  if (!shown) return [state];
  const face = partnerFace(shown);
  const others = state.prefs.pairs.filter((entry) => entry !== shown.pair);
  const entry = entryOf({ token, until, face });
  const next = patch(state, "prefs", { pairs: [...others, entry].slice(-BOUNDS.pairs) });
  const told = { friend: "kept", pair: entry };
  const known = next.chat === shown ? patch(next, "chat", told) : patch(next, "last", { chat: { ...shown, ...told } });
  return [known, keep({ added: [entry], dropped: [shown.pair] }), say("keep.kept", { name: nameOf(face) })];
}

/** Handle a refused wish. It can be repeated, unless one of the two has no cookie (`no_pair`) or the server has forgotten the chat. */
function refused(state, { code }) {
  const none = code === "no_pair";
  const next = state.chat?.friend === "asked" ? patch(state, "chat", { friend: none ? "not" : undefined }) : state;
  if (code === "no_chat" && next.ended) return [patch(next, "ended", { unknown: true }), say("next.gone")];
  return [next, say(none ? "keep.not" : "link.failed")];
}

/** Delete a stored pair: by the user, or since they block or report the other. The places of those who are here are no longer valid. */
const drop = (state, entry) => ({ ...patch(state, "prefs", { pairs: state.prefs.pairs.filter((one) => one !== entry) }), here: [] });

/** Record who is here; only at home, since the list may change on other screens. */
const here = (state, { frame }) =>
  state.phase === "home" ? [{ ...state, here: frame.pairs.filter((place) => place < state.prefs.pairs.length) }] : [state];

/** Call a user of a pair: this search meets no other one. */
const ring = (state, { place, mode = "text" }, now) => seek(state, { mode, interests: [], extra: { call: place } }, now);

/** Show who calls; only while a search runs, since the place is one of its list. */
function called(state, { frame: { pair: place, mode, on } }) {
  if (state.phase !== "waiting" || place >= state.prefs.pairs.length || state.find.extra?.call === place) return [state];
  const { [place]: _, ...others } = state.calls;
  if (!on) return [{ ...state, calls: others }];
  const name = nameOf(pairOf(state.prefs.pairs[place]).face);
  return [{ ...state, calls: { ...others, [place]: mode } }, say("pairs.calls", { name }), ...call(state, "calling.match", true)];
}

/** Keep the call out of sight; nothing is sent. */
function decline(state, { place }) {
  const { [place]: _, ...calls } = state.calls;
  return [{ ...state, calls }, focus("h1")];
}

/** Search for anyone after a call without an answer. */
const someone = (state, _, now) =>
  state.phase === "waiting" ? seek(state, { ...state.find, interests: state.prefs.tags, extra: {} }, now) : [state];

/** Forget the pair of a chat whose partner was blocked or reported. */
export function followPairs(before, result) {
  const [state, ...effects] = result;
  const { chat, ended } = state;
  const over = (chat?.blocked && !before.chat?.blocked) || (ended?.reported && !before.ended?.reported);
  if (!over || !chat?.pair || !state.prefs.pairs.includes(chat.pair)) return result;
  return [patch(drop(state, chat.pair), "chat", { friend: "not", pair: null }), ...effects, keep({ dropped: [chat.pair] })];
}

export const pairEvents = {
  befriend,
  "befriend.refused": refused,
  ring,
  decline,
  someone,
  "pair.drop": (state, { place }) => {
    const entry = state.prefs.pairs[place];
    return and([drop(state, entry), keep({ dropped: [entry] }), say("pairs.dropped"), focus("#pairs")], (next) => [next, ...askHere(next)]);
  },
};
export const pairFrames = { pair, here, called };
