// Show the field of topics. Enter, a comma or a paste adds; Backspace in the empty field removes the last one; Enter in the empty field
// starts.
import { useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { composing } from "../keys.js";
import { get, send } from "../store.js";
import { t } from "../words.js";
import { laterPiece } from "./later.js";

const Ideas = laterPiece(() => import("./ideas.js"), "Ideas");
const SEPARATOR = /[,\n\r\t;、，،]/;

/** Move topics out of the field; one that is too long stays in it, to be shortened. True if all were accepted. */
function take(field, text = field.value) {
  if (text.trim()) send("tag.add", { text });
  field.value = (text.trim() && get().form.over) || "";
  return !field.value;
}

/** Take the text that is in the field when the start button is pressed as a topic too. */
export const takeTyped = () => take(document.querySelector("#topics"));

export function Tags({ tags, problem, pulse, language }) {
  const field = useRef(null);
  const [typed, look] = useState(null); // null: the field was not focused yet, and nothing is suggested
  const clear = () => {
    field.current.value = "";
    look("");
    field.current.focus();
  };
  const input = ({ target }) => {
    if (SEPARATOR.test(target.value)) take(target);
    else send("tag.typed");
    look(target.value);
  };
  const paste = (event) => {
    const text = event.clipboardData.getData("text");
    if (!SEPARATOR.test(text)) return; // lines and tabs would be lost in the field
    event.preventDefault();
    take(event.target, `${event.target.value}${text}`);
  };
  const key = (event) => {
    if (composing(event)) return;
    if (event.key === "Enter" && event.target.value.trim()) {
      event.preventDefault();
      takeTyped();
      look(event.target.value);
    } else if (event.key === "Backspace" && !event.target.value && tags.length) send("tag.remove", { index: tags.length - 1 });
  };
  return html`
    <div class="field">
      <label for="topics">${t("home.topics")}</label>
      <div
        class=${`tagbox ${problem && problem !== "twice" ? "wrong" : ""}`}
        onClick=${(event) => event.target === event.currentTarget && field.current.focus()}
      >
        <ul>
          ${tags.map(
            (tag, index) => html`
              <li key=${tag}>
                <span class=${`tag ${pulse === index ? "pulse" : ""}`}>
                  <span dir="auto">${tag}</span>
                  <button type="button" aria-label=${t("home.remove", { topic: tag })} onClick=${() => send("tag.remove", { index })}>
                    ${icon("close")}
                  </button>
                </span>
              </li>
            `,
          )}
          <li class="entry" key="">
            <input
              id="topics"
              ref=${field}
              type="text"
              dir="auto"
              autocomplete="off"
              autocapitalize="none"
              enterkeyhint="enter"
              placeholder=${t(tags.length ? "home.another" : "home.add")}
              aria-describedby="topics-hint"
              aria-invalid=${problem ? "true" : null}
              onInput=${input}
              onPaste=${paste}
              onKeyDown=${key}
              onFocus=${({ target }) => look(target.value)}
            />
          </li>
        </ul>
      </div>
      <p id="topics-hint" class=${problem ? "problem" : "hint"}>${t(problem ? `home.${problem}` : "home.hint")}</p>
      ${
        typed !== null &&
        html`
          <div class="ideabox"><${Ideas} tags=${tags} typed=${typed} language=${language} clear=${clear} /></div>
        `
      }
    </div>
  `;
}
