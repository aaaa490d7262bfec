// Handle the state of the partner: away, back, or asked for their age, which holds the chat.
import { patch, say } from "./state.js";

/** Whether the chat is held until one of the two answers the age question. */
export const isHeld = (chat) => !!(chat.claimed || chat.waits);

export function partner(state, { frame }, now) {
  if (state.phase !== "chat") return [state];
  if (frame.state === "away") {
    const within = Math.ceil(frame.within ?? state.me.grace);
    return [patch(state, "chat", { away: now + within * 1000, typing: null }), say("chat.away.said", { n: within })];
  }
  if (frame.state === "asked") return [patch(state, "chat", { waits: true, typing: null }), say("chat.asked")];
  if (state.chat.waits) return [patch(state, "chat", { away: null, waits: false }), say("chat.asked.over")];
  return [patch(state, "chat", { away: null }), say("chat.back.said"), ...(state.chat.call ? [{ do: "media", op: "mend" }] : [])];
}
