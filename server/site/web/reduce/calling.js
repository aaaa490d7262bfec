// Being called back: a tone, a buzz, a notification, and only where each was asked for. What a call says is that somebody is there,
// never who, and never what they said.
import { focus, patch, say } from "./state.js";

const set = (state, change) => [patch(state, "prefs", change), { do: "keep" }];

/** The question of the first wait, answered. A yes is heard at once, so that one knows what to listen for. */
function called(state, { on }) {
  const [next, ...effects] = set(state, { called: true, ...(on ? { sounds: true } : {}) });
  return [next, ...effects, ...(on ? [{ do: "call", tone: true, buzz: true }] : []), say(on ? "calling.on" : "calling.off"), focus("h1")];
}

/** The browser is asked only by a press. */
const notify = (state, { on }) => (on ? [state, { do: "permit" }] : set(state, { notify: false }));

function permitted(state, { permission }) {
  const next = patch(state, "can", { notify: permission });
  return permission === "granted" ? [...set(next, { notify: true }), say("calling.on")] : [next, { do: "alarm", key: "calling.blocked" }];
}

export const callingEvents = { called, notify, permitted };
