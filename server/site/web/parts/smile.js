// Open the emoji picker, for users with a mouse and a keyboard without emoji. The picker is loaded then.
import { useEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { t } from "../words.js";
import { laterPiece } from "./later.js";

const Emoji = laterPiece(() => import("./emoji.js"), "Emoji");

export function Smile({ field }) {
  const [open, set] = useState(false);
  const box = useRef(null);
  const close = () => {
    set(false);
    field.current.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    const outside = ({ target }) => !box.current.contains(target) && set(false);
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);
  const put = (emoji) => {
    const node = field.current;
    node.setRangeText(emoji, node.selectionStart, node.selectionEnd, "end");
    node.dispatchEvent(new InputEvent("input", { bubbles: true }));
    close();
  };
  const key = (event) => {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault(); // close the picker, and leave no chat
    close();
  };
  return html`
    <div class="smile" ref=${box} onKeyDown=${key}>
      <button
        type="button"
        class="round"
        id="smile"
        aria-label=${t("emoji.title")}
        aria-expanded=${open ? "true" : "false"}
        onClick=${() => set(!open)}
      >
        ${icon("smile")}
      </button>
      ${
        open &&
        html`
          <${Emoji} put=${put} />
        `
      }
    </div>
  `;
}
