// Show a dialog: the browser's own, modal. A bottom sheet on a phone, centred on larger screens. Esc, the backdrop and × close it; the
// browser returns the focus.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

const DEAF = 500; // ms in which a new dialog ignores presses: the second half of a double click was meant for the screen before

/**
 * Show the dialog. `start`: "heading" puts the first focus on the title, so that a stray Enter is no answer. `shut`: the event that closing
 * sends.
 */
export function Sheet({ title, id, start = "heading", cross = true, shut = "close", children }) {
  const box = useRef(null);
  const opened = useRef(0);
  const [deaf, set] = useState(true);
  const close = () => send(shut);
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    opened.current = performance.now();
    if (start === "heading") dialog.querySelector("h2").focus();
    return () => dialog.close();
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => set(false), DEAF);
    return () => clearTimeout(timer);
  }, []);
  /** Whether a press is too early. A press by a key is a click too; Escape is not. Its own time counts, since rendering may be late. */
  const early = (event) => {
    if (event.timeStamp - opened.current >= DEAF || (event.type === "keydown" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const outside = (event) => {
    if (event.target !== box.current) return;
    const { left, right, top, bottom } = box.current.getBoundingClientRect();
    if (event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom) close();
  };
  const cancel = (event) => {
    event.preventDefault();
    close();
  };
  return html`
    <dialog
      class="sheet"
      id=${id}
      ref=${box}
      data-deaf=${deaf ? "" : null}
      aria-labelledby=${`${id}-title`}
      onCancel=${cancel}
      onKeyDownCapture=${early}
      onClickCapture=${early}
      onClick=${outside}
    >
      <div>
        <div class="top">
          <h2 id=${`${id}-title`} tabindex="-1">${title}</h2>
          ${
            cross &&
            html`
              <button type="button" class="round" aria-label=${t("close")} onClick=${close}>${icon("close")}</button>
            `
          }
        </div>
        ${children}
      </div>
    </dialog>
  `;
}
