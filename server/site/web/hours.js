// Show between which hours most chats begin, in the reader's own time.
import { html } from "./html.js";
import { t } from "./words.js";

/** `hours`: two hours of the day, UTC. */
export function Hours({ hours }) {
  const [from, to] = hours.map((hour) => {
    const at = new Date();
    at.setUTCHours(hour, 0);
    return at.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
  });
  return html`
    <span>${t("home.hours", { from, to })}</span>
  `;
}
