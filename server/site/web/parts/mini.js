// Show a small chat that writes itself, as a picture of the service. A press stops it; without motion all of it is visible.
import { useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { t } from "../words.js";

const LINES = ["one", "two", "three"];

export function Mini() {
  const [still, set] = useState(false);
  return html`
    <button type="button" class=${`mini ${still ? "still" : ""}`} aria-label=${t("home.mini")} aria-pressed=${still ? "true" : "false"} onClick=${() => set(!still)}>
      ${LINES.map(
        (line) => html`
          <span key=${line} class=${line} dir="auto">${t(`home.mini.${line}`)}</span>
        `,
      )}
    </button>
  `;
}
