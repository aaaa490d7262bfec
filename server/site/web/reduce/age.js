// Somebody wrote that they are under 18: the server ends the chat and asks. What they answer goes to it alone, and is believed once.
import { findEvents } from "./find.js";
import { end } from "./talk.js";
import { and, focus, post } from "./state.js";

/** In a chat it comes just before that is over; before a search, with its refusal: the search keeps its place. */
export function claimed(state, { frame: { parameters } }, now) {
  const sheet = { is: "claimed", age: Number.isInteger(parameters.age) ? parameters.age : 0 };
  if (state.phase === "waiting") return [{ ...state, waiting: null, sheet }];
  if (state.phase !== "chat") return [state];
  const [over, ...effects] = end(state, "age", now);
  return [{ ...over, sheet }, ...effects.filter((effect) => effect.do !== "focus")]; // the dialog has it
}

/** "18 or over": the search goes on when the server has heard it. "Under 18": as where the page asks by itself. */
function answer(state, { adult }, now) {
  if (state.sheet?.is !== "claimed") return [state];
  const told = post({ ...state, sheet: null }, { type: "solution", kind: "age", response: adult ? "adult" : "minor" });
  if (!adult) return and(told, (next) => findEvents.age(next, { adult }, now));
  return and(told, (next) => [next, focus(next.phase === "waiting" ? "h1" : "#meet")]);
}

/** Shut without an answer: it is asked again before the next search. */
const shut = (state) => (state.phase === "waiting" ? findEvents.stop({ ...state, sheet: null }) : [{ ...state, sheet: null }]);

export const ageEvents = { "claimed.answer": answer, "claimed.shut": shut };
