// Handle "Forget everything": stored values of this browser, and the cookie. The dialog has said before what stays on the server.
import { defaults, say, timer } from "./state.js";

export const forgettingEvents = {
  forget: (state) => [
    {
      ...state,
      prefs: { ...defaults, language: state.prefs.language, nothing: state.prefs.nothing },
      college: null,
      here: [],
      notice: "forgot",
      sheet: null,
    },
    { do: "forget" },
    { do: "look" },
    { do: "words" },
    say("settings.forgot"),
    timer("notice", 6000),
  ],
};
