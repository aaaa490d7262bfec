// Ask for the age before the first chat, neutrally. The answers come last: the terms are read before, and no answer is where the press was
// that opened this.
import { useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { documentAt, parts, t } from "../words.js";

const GROWN = 18;

function Year({ wrong, now }) {
  const field = useRef(null);
  const year = new Date(now).getFullYear();
  const answer = (event) => {
    event.preventDefault();
    const born = Number(field.current.value);
    if (!/^\d{4}$/.test(field.current.value.trim()) || born > year || born < year - 120) send("sheet.set", { change: { wrong: true } });
    else send("age", { adult: year - born > GROWN });
  };
  return html`
    <form class="field" onSubmit=${answer} novalidate>
      <label for="born">${t("age.year")}</label>
      <input
        class="input"
        id="born"
        ref=${field}
        inputmode="numeric"
        autocomplete="off"
        maxlength="4"
        aria-invalid=${wrong ? "true" : null}
        aria-describedby=${wrong ? "born-wrong" : null}
      />
      ${
        wrong &&
        html`
          <p class="problem" id="born-wrong" role="alert">${t("age.year.wrong", { example: "1990" })}</p>
        `
      }
      <button type="submit" class="button big">${t("age.go")}</button>
    </form>
  `;
}

export const Age = ({ state }) => html`
  <${Sheet} id="age" title=${t("age.title")} cross=${false}>
    <p class="muted">${t("age.once")}</p>
    <ul class="points">
      <li>
        ${icon("heart")}
        <span>${t("age.kind")}</span>
      </li>
      <li>
        ${icon("lock")}
        <span>${t("age.copy")}</span>
      </li>
      <li>
        ${icon("out")}
        <span>${t("age.out")}</span>
      </li>
    </ul>
    <p class="hint">
      ${parts("age.accept", {
        rules: html`
          <a href=${documentAt("/rules")} target="_blank" rel="noopener">${t("age.rules")}</a>
        `,
        privacy: html`
          <a href=${documentAt("/privacy")} target="_blank" rel="noopener">${t("age.privacy")}</a>
        `,
      })}
    </p>
    ${
      state.config.age === "year"
        ? html`
            <${Year} wrong=${state.sheet.wrong} now=${state.now} />
          `
        : html`
            <div class="pair">
              <button type="button" class="button big" id="age-under" onClick=${() => send("age", { adult: false })}>
                ${t("age.under")}
              </button>
              <button type="button" class="button big" id="age-over" onClick=${() => send("age", { adult: true })}>${t("age.over")}</button>
            </div>
          `
    }
  <//>
`;
