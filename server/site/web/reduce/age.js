// Handle a user who wrote that they are under 18: the server ends the chat and asks. The answer is sent to the server only, and is believed
// once.
import { findEvents } from "./find.js";
import { end } from "./talk.js";
import { and, focus, post } from "./state.js";

/** Handle the question. In a chat it comes just before the end; before a search, with its refusal: the search keeps its place. */
export function claimed(state, { frame: { parameters } }, now) {
  const sheet = { is: "claimed", age: Number.isInteger(parameters.age) ? parameters.age : 0 };
  if (state.phase === "waiting") return [{ ...state, waiting: null, sheet }];
  if (state.phase !== "chat") return [state];
  const [over, ...effects] = end(state, "age", now);
  return [{ ...over, sheet }, ...effects.filter((effect) => effect.do !== "focus")]; // the dialog takes the focus
}

/** Answer. "18 or over": the search continues after the reply of the server. "Under 18": as if the page had asked by itself. */
function answer(state, { adult }, now) {
  if (state.sheet?.is !== "claimed") return [state];
  const told = post({ ...state, sheet: null }, { type: "solution", kind: "age", response: adult ? "adult" : "minor" });
  if (!adult) return and(told, (next) => findEvents.age(next, { adult }, now));
  return and(told, (next) => [next, focus(next.phase === "waiting" ? "h1" : "#meet")]);
}

/** Close without an answer: the question is repeated before the next search. */
const shut = (state) => (state.phase === "waiting" ? findEvents.stop({ ...state, sheet: null }) : [{ ...state, sheet: null }]);

export const ageEvents = { "claimed.answer": answer, "claimed.shut": shut };
