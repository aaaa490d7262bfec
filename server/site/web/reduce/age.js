// Handle a user who wrote that they are under 18: the server holds the chat and asks. The answer is sent to the server only, and is believed
// once. In a held chat no line is sent, and a call is neither sent nor shown on both sides.
import { findEvents } from "./find.js";
import { and, focus, patch, post } from "./state.js";

/** Handle the question. After a hint it may be closed, and nothing waits for it. In a chat it holds the chat; before a search it comes with its refusal: the search keeps its place. */
export function claimed(state, { frame: { parameters } }) {
  if (parameters.hint) return [state.phase === "chat" && !state.sheet ? { ...state, sheet: { is: "claimed", hint: true }, armed: false } : state];
  const sheet = { is: "claimed", age: Number.isInteger(parameters.age) ? parameters.age : 0 };
  if (state.phase === "waiting") return [{ ...state, waiting: null, sheet }];
  if (state.phase !== "chat") return [state];
  return [patch({ ...state, sheet, armed: false }, "chat", { claimed: true, typing: null })]; // the dialog takes the focus
}

/** Answer. "18 or over": the search continues after the reply of the server. "Under 18": as if the page had asked by itself. */
function answer(state, { adult }, now) {
  if (state.sheet?.is !== "claimed") return [state];
  const told = post({ ...state, sheet: null }, { type: "solution", kind: "age", response: adult ? "adult" : "minor" });
  if (!adult) return and(told, (next) => findEvents.age(next, { adult }, now));
  return and(told, (next) => [next, focus({ waiting: "h1", chat: "#message" }[next.phase] ?? "#meet")]);
}

/** Continue a held chat after the server's reply. */
export const freed = (state) => (state.chat?.claimed ? patch(state, "chat", { claimed: false }) : state);

/** Close without an answer: the question is repeated before the next search. A held chat needs one, or ends. */
function shut(state) {
  if (state.phase === "chat") return [state.sheet?.hint ? { ...state, sheet: null } : state, ...(state.sheet?.hint ? [focus("#message")] : [])];
  return state.phase === "waiting" ? findEvents.stop({ ...state, sheet: null }) : [{ ...state, sheet: null }];
}

export const ageEvents = { "claimed.answer": answer, "claimed.shut": shut };
