// Show a setting that is on or off, or one of a few values. The label is read with the control; pressing it, or the explanation below,
// presses the switch.
import { html } from "../html.js";

export const Switch = ({ id, label, more, on, set }) => html`
  <div class="setting">
    <label for=${id}>
      <span class="label" id=${`${id}-label`}>${label}</span>
      ${
        more &&
        html`
          <span class="hint" id=${`${id}-more`}>${more}</span>
        `
      }
    </label>
    <button
      type="button"
      role="switch"
      class="switch"
      id=${id}
      aria-checked=${on ? "true" : "false"}
      aria-labelledby=${`${id}-label`}
      aria-describedby=${more ? `${id}-more` : null}
      onClick=${() => set(!on)}
    ></button>
  </div>
`;

export const Choice = ({ id, label, value, options, set }) => html`
  <div class="setting">
    <label class="label" for=${id}>${label}</label>
    <select class="select" id=${id} value=${value} onChange=${(event) => set(event.target.value)}>
      ${options.map(
        ([option, name]) => html`
          <option value=${option} selected=${option === value}>${name}</option>
        `,
      )}
    </select>
  </div>
`;
