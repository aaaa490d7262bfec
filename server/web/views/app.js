// Which view is up for a state. A new phase or dialog is one line in a table here.
import { html } from "../html.js";
import { later } from "../parts/later.js";
import { t } from "../words.js";
import { Age, Minor } from "./age.js";
import { Chat } from "./chat.js";
import { Refused, Replaced } from "./gone.js";
import { Home } from "./home.js";
import { Report } from "./report.js";
import { Waiting } from "./waiting.js";

const ready = later(() => import("../video/ready.js"), "Ready");
export const views = { home: Home, ready, minor: Minor, waiting: Waiting, chat: Chat, ended: Chat, refused: Refused, replaced: Replaced };
const spy = () => import("./spy.js");
const Watch = later(() => import("./watch.js"), "Watch");
const settings = () => import("./settings.js");
export const sheets = {
  age: Age,
  report: Report, // here from the start: it works while everything else fails
  save: later(() => import("./save.js"), "Save"),
  more: later(settings, "More"),
  keys: later(settings, "Keys"),
  settings: later(settings, "Settings"),
  ask: later(spy, "Ask"),
  discuss: later(spy, "Discuss"),
  college: later(() => import("./college.js"), "College"),
  call: later(() => import("../video/menu.js"), "CallMenu"),
};

export function App({ state }) {
  const View = state.phase === "ended" && !state.chat ? Home : views[state.phase];
  const Shown = View === Chat && state.chat.role === "spy" ? Watch : View;
  const Open = state.sheet && sheets[state.sheet.is];
  return html`
    <${Shown} key=${View === Chat ? "chat" : state.phase} state=${state} />
    ${
      Open &&
      html`
        <${Open} key=${state.sheet.is} state=${state} />
      `
    }
  `;
}

export function titleOf({ phase, visible, chat }) {
  if (phase === "chat") return t(!visible && chat.unseen ? "title.new" : "title.chat");
  return t(phase === "waiting" || phase === "ended" ? `title.${phase}` : "title.home");
}
