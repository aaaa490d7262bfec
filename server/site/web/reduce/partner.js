// Handle the state of the partner: away, back, or asked for their age, which holds the chat; and a pause of the own first lines.
import { and, patch, say, timer, unsay } from "./state.js";

const SLACK = 2000; // ms after which lines are sent though the end of their pause was not announced

/** Whether the chat is held until one of the two answers the age question. */
export const isHeld = (chat) => !!(chat.claimed || chat.waits);

export const notPaused = { opener: 0 }; // else: when own lines are sent, which wait for the partner's first one

/** Send the own lines that waited. `flush` sends what the server has not accepted. */
export const unpaused = (flush) => (state) => (state.chat?.opener ? and([patch(state, "chat", notPaused), unsay("chat.opener")], flush) : [state]);

export const partner = (flush) => (state, { frame }, now) => {
  if (state.phase !== "chat") return [state];
  if (frame.state === "away") {
    const within = Math.ceil(frame.within ?? state.me.grace);
    return [patch(state, "chat", { away: now + within * 1000, typing: null }), say("chat.away.said", { n: within })];
  }
  if (frame.state === "asked") return [patch(state, "chat", { waits: true, typing: null }), say("chat.asked")];
  if (frame.state === "paused") {
    const within = Math.ceil(frame.within ?? 0) * 1000;
    return [patch(state, "chat", { opener: now + within }), say("chat.opener"), timer("opener", within + SLACK)];
  }
  if (frame.state !== "back") return [state];
  if (state.chat.opener && !state.chat.away) return unpaused(flush)(state);
  if (state.chat.waits) return [patch(state, "chat", { away: null, waits: false }), say("chat.asked.over")];
  return [patch(state, "chat", { away: null }), say("chat.back.said"), ...(state.chat.call ? [{ do: "media", op: "mend" }] : [])];
};
