// A dialog: the browser's own, modal. A bottom sheet on a phone, centred above that. Esc, the backdrop and × close it;
// focus returns by itself.
import { useLayoutEffect, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

/** `start`: "heading" puts the first focus on the title, so that no answer is a stray Enter. `shut`: the event by which it closes. */
export function Sheet({ title, id, start = "heading", cross = true, shut = "close", children }) {
  const box = useRef(null);
  const close = () => send(shut);
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog.showModal();
    if (start === "heading") dialog.querySelector("h2").focus();
    return () => dialog.close();
  }, []);
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
    <dialog class="sheet" id=${id} ref=${box} aria-labelledby=${`${id}-title`} onCancel=${cancel} onClick=${outside}>
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
