// Choose the view for a state. A new phase or dialog is one line in a table here.
import { html } from "../html.js";
import { laterScreen, laterSheet, soonScreen } from "../parts/later.js";
import { t } from "../words.js";
import { Age } from "./age.js";
import { Home } from "./home.js";
import { Waiting } from "./waiting.js";

const Chat = soonScreen(() => import("./chat.js"), "Chat", "chat");
const checked = () => import("../video/checked.js");
const gone = () => import("./gone.js");
const photo = () => import("../parts/photo.js");
const menus = () => import("./menus.js");
const spy = () => import("./spy.js");

export const views = {
  home: Home,
  waiting: Waiting,
  chat: Chat,
  ended: Chat,
  minor: laterScreen(() => import("./minor.js"), "Minor"),
  ready: laterScreen(() => import("../video/ready.js"), "Ready"),
  refused: laterScreen(gone, "Refused"),
  replaced: laterScreen(gone, "Replaced"),
  unread: laterScreen(gone, "Unread"),
};
const Watch = laterScreen(() => import("./watch.js"), "Watch");
export const sheets = {
  age: Age,
  topics: laterSheet(() => import("./topics.js"), "Topics"),
  check: laterSheet(() => import("./check.js"), "Check"),
  claimed: laterSheet(() => import("./claimed.js"), "Claimed"),
  report: laterSheet(() => import("./report.js"), "Report"), // loaded with the search: it works while everything else fails
  save: laterSheet(() => import("./save.js"), "Save"),
  more: laterSheet(menus, "More"),
  keys: laterSheet(menus, "Keys"),
  last: laterSheet(menus, "Last"),
  settings: laterSheet(() => import("./settings.js"), "Settings"),
  forget: laterSheet(() => import("./forget.js"), "Forget"),
  ask: laterSheet(spy, "Ask"),
  discuss: laterSheet(spy, "Discuss"),
  college: laterSheet(() => import("./college.js"), "College"),
  call: laterSheet(() => import("../video/menu.js"), "CallMenu"),
  photo: laterSheet(photo, "PhotoSheet"),
  large: laterSheet(photo, "PhotoLarge"),
  pictures: laterSheet(checked, "Pictures"),
  novideo: laterSheet(checked, "NoVideo"),
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

const TITLED = new Set(["ready", "waiting", "ended"]);

export function titleOf({ phase, visible, chat }) {
  if (phase === "chat" && chat.role === "spy") return t("title.watching");
  if (chat?.unseen && !visible) return t("title.new", { n: chat.unseen });
  if (phase === "chat") return t(chat.fresh && !visible ? "title.found" : "title.chat");
  return t(TITLED.has(phase) ? `title.${phase}` : "title.home");
}
