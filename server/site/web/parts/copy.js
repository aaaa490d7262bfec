// Copy a text by a press, and confirm it. If the browser refuses, the text is selected in a field to be copied by hand.
import { useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

const SHOWN = 3000; // ms that "Copied" is shown

export function Copy({ text, label, kind = "", children }) {
  const [done, mark] = useState(false);
  const copy = () =>
    navigator.clipboard?.writeText(typeof text === "function" ? text() : text).then(
      () => {
        mark(true);
        send("copied.text");
        setTimeout(() => mark(false), SHOWN);
      },
      () => send("copied.not"),
    ) ?? send("copied.not");
  return html`
    <button type="button" class=${kind} onClick=${copy}>${children}${done ? t("save.copied") : label}</button>
  `;
}
