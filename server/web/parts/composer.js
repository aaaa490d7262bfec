// The field one writes in. Uncontrolled, so that an input method is never disturbed; a half word is never sent.
import { useEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { composing } from "../keys.js";
import { BOUNDS } from "../protocol.js";
import { send } from "../store.js";
import { t } from "../words.js";

const WARN = 1800;
const REST = 5000; // ms without a key until "typing" is taken back

export function Composer({ chat, armed, confirm }) {
  const field = useRef(null);
  const typing = useRef({ on: false, timer: 0 });
  const [length, measure] = useState(0);
  const tell = (on) => {
    clearTimeout(typing.current.timer);
    if (on) typing.current.timer = setTimeout(() => tell(false), REST);
    if (on !== typing.current.on) send("typing", { on });
    typing.current.on = on;
  };
  useEffect(() => () => clearTimeout(typing.current.timer), []);
  const changed = () => {
    const { value } = field.current;
    measure([...value].length);
    tell(value.trim() !== "");
  };
  const blocked = length > BOUNDS.text || chat.paused > 0;
  const speak = () => {
    const text = field.current.value;
    if (blocked || !text.trim()) return;
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
    } else if (event.key === "ArrowUp" && !event.target.value) recall();
  };
  const left = BOUNDS.text - length;
  return html`
    <div class="compose">
      <form class="composer" onSubmit=${(event) => (event.preventDefault(), speak())}>
        <button type="button" class=${`button leave ${armed ? "danger" : ""}`} onClick=${() => send("leave")}>
          ${t(armed ? "chat.sure" : "chat.leave")}
          <small aria-hidden="true">${t(confirm ? "chat.twice" : "chat.once")}</small>
        </button>
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
        <button type="submit" class="send" aria-label=${t("chat.send")} aria-disabled=${blocked ? "true" : null}>${icon("up")}</button>
      </form>
      <p class=${`under ${left < 0 ? "problem" : "muted"}`} id="under" hidden=${length < WARN}>
        ${length >= WARN && (left < 0 ? t("chat.toolong", { n: -left }) : t("chat.left", { n: left }))}
      </p>
      <p class="hints" aria-hidden="true">
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
