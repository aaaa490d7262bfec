// Show the reactions at a line, and the six faces to choose from: in the flow of the log, so that nothing hides another line.
import { useLayoutEffect, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { FACES } from "../client/protocol.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { shortOf } from "./said.js";

/** Show what was reacted: announced when it comes, so the log does not announce it again. */
export const Shown = ({ faces, who }) => {
  const found = Object.entries(faces).filter(([, face]) => face in FACES);
  return (
    found.length > 0 &&
    html`
      <div class="faces" aria-live="off">
        ${found.map(
          ([from, face]) => html`
            <span key=${from} class="face" role="img" aria-label=${t("react.by", { who: who(from), name: t(`react.${face}`) })}>${FACES[face]}</span>
          `,
        )}
      </div>
    `
  );
};

/** Offer the faces and a quote: by pointer, arrow keys, or 1 to 6. Escape closes them, and leaves no chat. */
export function Pick({ entry, own }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const chosen = box.current.querySelector("[aria-pressed=true]") ?? box.current.firstElementChild;
    chosen.focus({ preventScroll: true });
    box.current.scrollIntoView({ block: "nearest" });
    const outside = ({ target }) => !box.current?.contains(target) && send("react.close");
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, []);
  const names = Object.keys(FACES);
  const key = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const forth = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const step = event.key === forth ? 1 : /^Arrow(Left|Right)$/.test(event.key) ? -1 : 0;
    const all = [...box.current.children];
    if (event.key === "Escape") send("react.close", { key: true });
    else if (names[event.key - 1]) send("react", { key: entry.key, face: names[event.key - 1] });
    else if (step) all.at((all.indexOf(document.activeElement) + step) % all.length).focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`
    <div class="pick" role="group" aria-label=${t("react.pick", { line: shortOf(entry.text) })} ref=${box} onKeyDown=${key}>
      ${names.map(
        (name) => html`
          <button
            type="button"
            key=${name}
            aria-label=${t(`react.${name}`)}
            aria-pressed=${own === name ? "true" : "false"}
            onClick=${() => send("react", { key: entry.key, face: name })}
          >
            ${FACES[name]}
          </button>
        `,
      )}
      <button type="button" key="quote" aria-label=${t("chat.quote")} onClick=${() => send("quote", { key: entry.key })}>${icon("quote")}</button>
    </div>
  `;
}
