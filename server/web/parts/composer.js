// The field one writes in. Uncontrolled, so that an input method is never disturbed; a half word is never sent.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { composing } from "../keys.js";
import { Next } from "./next.js";
import { withQuote } from "./said.js";
import { Smile } from "./smile.js";
import { BOUNDS } from "../protocol.js";
import { send } from "../store.js";
import { t } from "../words.js";

const WARN = 1800;
const REST = 5000; // ms without a key until "typing" is taken back

/** When the chat is over (`over`) a sentence that was begun stays, with the focus; nothing can be sent any more. */
export function Composer({ chat, armed, confirm, over }) {
  const field = useRef(null);
  const typing = useRef({ on: false, timer: 0 });
  const begun = useRef(false); // a sentence was begun when the chat ended
  const [length, measure] = useState(0);
  const tell = (on) => {
    clearTimeout(typing.current.timer);
    if (on) typing.current.timer = setTimeout(() => tell(false), REST);
    if (on !== typing.current.on) send("typing", { on });
    typing.current.on = on;
  };
  useEffect(() => () => clearTimeout(typing.current.timer), []);
  useLayoutEffect(() => {
    if (!chat.draft || field.current.value) return; // begun before the page was loaded again, or the chat came back into view
    field.current.value = chat.draft;
    measure([...chat.draft].length);
  }, [chat.draft]);
  const changed = () => {
    const { value } = field.current;
    measure([...value].length);
    if (over) send("ended.typed");
    else tell(value.trim() !== "");
  };
  const write = (text) => {
    const node = field.current;
    node.value = text;
    node.focus();
    node.setSelectionRange(text.length, text.length);
    node.dispatchEvent(new InputEvent("input", { bubbles: true })); // as if it were typed
  };
  useEffect(() => {
    if (chat.quote && !over) write(withQuote(field.current.value, chat.quote.text));
  }, [chat.quote?.serial]);
  const blocked = length > BOUNDS.text || chat.paused > 0;
  const speak = () => {
    const text = field.current.value;
    if (over || blocked || !text.trim()) return;
    clearTimeout(typing.current.timer);
    typing.current.on = false; // a message ends one's typing (protocol)
    send("say", { text });
    field.current.value = "";
    measure(0);
  };
  const recall = () => {
    const unsent = chat.lines.findLast((entry) => entry.state === "refused");
    if (!unsent) return;
    field.current.value = unsent.text;
    send("delete", { key: unsent.key });
    changed();
  };
  const key = (event) => {
    if (composing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      speak();
    } else if (event.key === "ArrowUp" && !event.target.value && !over) recall();
  };
  useEffect(() => {
    if (over) clearTimeout(typing.current.timer);
  }, [over]);
  begun.current = over && (begun.current || length > 0);
  const left = BOUNDS.text - length;
  return html`
    <div class="compose" hidden=${over && !begun.current}>
      <form class="composer" onSubmit=${(event) => (event.preventDefault(), speak())}>
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
          onInput=${changed}
          onKeyDown=${key}
        ></textarea>
        ${
          !over &&
          html`
            <${Smile} field=${field} />
          `
        }
        <button type="submit" class="send" hidden=${over} aria-label=${t("chat.send")} aria-disabled=${blocked ? "true" : null}>${icon("up")}</button>
      </form>
      <p class=${`under ${left < 0 ? "problem" : "muted"}`} id="under" hidden=${length < WARN && !over}>
        ${over ? t("chat.draft") : length >= WARN && (left < 0 ? t("chat.toolong", { n: -left }) : t("chat.left", { n: left }))}
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
