// Offer three first lines under the card, from the common topic or for everyone. A press puts one into the field; nothing is sent by it.
import { useEffect, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { openersOf, some } from "../openers.js";
import { clean } from "../text.js";
import { t } from "../words.js";

const SHOWN = 3;

/** Return what is offered: with a common topic one line of two is about it. */
function offered({ topic, any }, common, seed) {
  if (!common.length) return some(any, seed, SHOWN);
  const word = clean(common[0]);
  const about = some(topic, seed, SHOWN - 1).map((line) => line.replace("{topic}", () => word));
  return [...about, ...some(any, seed, SHOWN - about.length)];
}

/** Put a line into the field as if it were typed; what the user wrote themselves stays before it. */
function put(line, before) {
  const field = document.querySelector("#message");
  if (!field) return;
  const own = before.includes(field.value) ? "" : field.value.trimEnd();
  field.value = own ? `${own} ${line}` : line;
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

export function Openers({ chat, language }) {
  const [lists, set] = useState(null);
  const [turn, next] = useState(0);
  useEffect(() => {
    let here = true;
    void openersOf(language).then((found) => here && set(found));
    return () => (here = false);
  }, [language]);
  if (!lists) return null;
  const seed = (Number.parseInt(chat.id.slice(-6), 16) || 0) + (chat.side ?? 0) + turn * SHOWN;
  const lines = offered(lists, chat.common, seed);
  if (!lines.length) return null;
  return html`
    <ul class="openers" aria-label=${t("opener.title")} aria-live="off">
      ${lines.map(
        (line) => html`
          <li key=${line}>
            <button type="button" dir="auto" onClick=${() => put(line, lines)}>${line}</button>
          </li>
        `,
      )}
      <li>
        <button type="button" class="round" aria-label=${t("opener.others")} title=${t("opener.others")} onClick=${() => next(turn + 1)}>
          ${icon("turn")}
        </button>
      </li>
    </ul>
  `;
}
