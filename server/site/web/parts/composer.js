// Show the text field. It is uncontrolled, so that an input method is never disturbed; an unfinished word is never sent.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { composing } from "../keys.js";
import { Next } from "./next.js";
import { bare, splitQuote } from "./said.js";
import { Smile } from "./smile.js";
import { BOUNDS } from "../client/protocol.js";
import { areShared } from "../reduce/photos.js";
import { isHeld } from "../reduce/partner.js";
import { send } from "../store.js";
import { t } from "../words.js";

const WARN = 1800;
const REST = 5000; // ms without a key until "typing" is withdrawn

/** Show the quoted line above the field; it is sent before the answer, as quoted lines. */
const Quote = ({ text }) => html`
  <div class="answered">
    <blockquote dir="auto">${bare(text)}</blockquote>
    <button type="button" class="round" aria-label=${t("chat.unquote")} onClick=${() => send("unquote")}>${icon("close")}</button>
  </div>
`;

/** Show the field. When the chat is over (`over`) a sentence that was begun stays, with the focus; nothing can be sent any more. */
export function Composer({ chat, armed, confirm, over }) {
  const field = useRef(null);
  const typing = useRef({ on: false, timer: 0 });
  const begun = useRef(false); // a sentence was begun when the chat ended
  const [length, measure] = useState(0);
  const tell = (on) => {
    clearTimeout(typing.current.timer);
    if (on) typing.current.timer = setTimeout(() => tell(false), REST);
    if (on === typing.current.on) return;
    typing.current.on = on;
    send("typing", { on });
  };
  useEffect(() => () => clearTimeout(typing.current.timer), []);
  useLayoutEffect(() => {
    if (!chat.draft || field.current.value) return; // begun before a reload, or the chat came back into view
    field.current.value = chat.draft;
    measure([...chat.draft].length);
  }, [chat.draft]);
  const changed = ({ value }) => {
    measure([...value].length);
    if (over) send("ended.typed");
    else tell(value.trim() !== "");
  };
  const quote = over ? "" : (chat.quote?.text ?? "");
  const whole = length + [...quote].length;
  const blocked = whole > BOUNDS.text || chat.paused > 0 || isHeld(chat); // the text under the field, or the banner, gives the reason
  const speak = (node) => {
    const { value } = node;
    if (over || blocked || !value.trim()) return;
    clearTimeout(typing.current.timer);
    typing.current.on = false; // a message ends typing (protocol)
    node.value = "";
    measure(0);
    send("say", { text: quote + value });
  };
  const recall = (node) => {
    const unsent = chat.lines.findLast((entry) => entry.state === "refused");
    if (!unsent) return;
    const [quoted, text] = splitQuote(unsent.text);
    node.value = text;
    send("recall", { key: unsent.key, quote: quoted });
    node.dispatchEvent(new InputEvent("input", { bubbles: true })); // as if it were typed
  };
  const key = (event) => {
    if (composing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      speak(event.currentTarget);
    } else if (over || event.currentTarget.value) return;
    else if (event.key === "ArrowUp") recall(event.currentTarget);
    else if (event.key === "Backspace" && quote) send("unquote");
  };
  useEffect(() => {
    if (over) clearTimeout(typing.current.timer);
  }, [over]);
  begun.current = over && (begun.current || length > 0);
  const left = BOUNDS.text - whole;
  return html`
    <div class="compose" hidden=${over && !begun.current}>
      ${
        quote &&
        html`
          <${Quote} text=${quote} />
        `
      }
      <form class="composer" onSubmit=${(event) => (event.preventDefault(), speak(event.currentTarget.elements.message))}>
        <button type="button" class=${`button leave ${armed === "leave" ? "danger" : ""}`} hidden=${over} onClick=${() => send("leave")}>
          ${t(armed === "leave" ? "chat.sure" : "chat.leave")}
          <small aria-hidden="true">${t(armed === "leave" || !confirm ? "chat.once" : "chat.twice")}</small>
        </button>
        ${
          !over &&
          html`
            <${Next} armed=${armed} place="low" />
          `
        }
        <textarea
          id="message"
          ref=${field}
          rows="1"
          dir="auto"
          enterkeyhint="send"
          autocomplete="off"
          aria-label=${t("chat.message")}
          placeholder=${t("chat.write")}
          aria-describedby="under"
          onInput=${({ currentTarget }) => changed(currentTarget)}
          onKeyDown=${key}
        ></textarea>
        ${
          !over &&
          html`
            <${Smile} field=${field} />
          `
        }
        ${
          !over &&
          areShared(chat) &&
          html`
            <button type="button" class="round" id="photo-pick" aria-label=${t("photo.send")} aria-keyshortcuts="Alt+P" onClick=${() => send("photo.choose")}>
              ${icon("photo")}
            </button>
          `
        }
        <button type="submit" class="send" hidden=${over} aria-label=${t("chat.send")} aria-disabled=${blocked ? "true" : null}>${icon("up")}</button>
      </form>
      <p class=${`under ${left < 0 ? "problem" : "muted"}`} id="under" hidden=${whole < WARN && !over}>
        ${over ? t("chat.draft") : whole >= WARN && (left < 0 ? t("chat.toolong", { n: -left }) : t("chat.left", { n: left }))}
      </p>
      <p class="hints" aria-hidden="true" hidden=${over}>
        <span>
          <kbd>${t("key.enter")}</kbd>
          ${t("chat.key.send")}
        </span>
        <span>
          <kbd>${t("key.shift")}</kbd>
          <kbd>${t("key.enter")}</kbd>
          ${t("chat.key.line")}
        </span>
        <span>
          <kbd>${t("key.esc")}</kbd>
          ${
            confirm &&
            html`
              <kbd>${t("key.esc")}</kbd>
            `
          }${t("chat.key.leave")}
        </span>
      </p>
    </div>
  `;
}
