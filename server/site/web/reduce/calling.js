// Decide about notifications: a tone, a vibration, a notification, each only if it was chosen. They say that there is a partner, never who,
// and never a text.
import { focus, patch, say } from "./state.js";

const set = (state, change) => [patch(state, "prefs", change), { do: "keep" }];

/** Answer the question of the first wait. After a yes the tone plays at once, so that the user knows it. */
function called(state, { on }) {
  const [next, ...effects] = set(state, { called: true, ...(on ? { sounds: true } : {}) });
  return [next, ...effects, ...(on ? [{ do: "call", tone: true, buzz: true }] : []), say(on ? "calling.on" : "calling.off"), focus("h1")];
}

/** Ask the browser for permission, only by a press. */
const notify = (state, { on }) => (on ? [state, { do: "permit" }] : set(state, { notify: false }));

function permitted(state, { permission }) {
  const next = patch(state, "can", { notify: permission });
  return permission === "granted" ? [...set(next, { notify: true }), say("calling.on")] : [next, { do: "alarm", key: "calling.blocked" }];
}

export const callingEvents = { called, notify, permitted };
