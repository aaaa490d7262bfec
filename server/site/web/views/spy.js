// Ask two strangers, or discuss a question: two dialogs that link to each other, the one with the shorter wait first.
import { useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { Switch } from "../parts/switch.js";
import { BOUNDS } from "../client/protocol.js";
import { send } from "../store.js";
import { t } from "../words.js";

const set = (change) => send("sheet.set", { change });

function Waits({ spy }) {
  if (!spy || spy.ask === spy.discuss) return null;
  return html`
    <p class="hint">${t("ask.waits", { ask: Math.max(1, Math.round(spy.ask)), discuss: Math.max(1, Math.round(spy.discuss)) })}</p>
  `;
}

export function Ask({ state }) {
  const { sheet, status } = state;
  const field = useRef(null);
  const text = sheet.question ?? "";
  const length = [...text].length;
  const submit = (event) => {
    event.preventDefault();
    send("ask", { question: field.current.value, share: !!sheet.share });
  };
  const rather = status?.spy && status.spy.discuss < status.spy.ask;
  return html`
    <${Sheet} id="ask" title=${t("ask.title")} cross=${true}>
      <form class="field" onSubmit=${submit}>
        <label for="question">${t("ask.question")}</label>
        <textarea
          class="input"
          id="question"
          ref=${field}
          rows="3"
          dir="auto"
          aria-describedby="question-count"
          aria-invalid=${sheet.wrong ? "true" : null}
          onInput=${(event) => set({ question: event.target.value, wrong: false })}
        ></textarea>
        <p class="hint" id="question-count">${t("ask.count", { n: length, most: BOUNDS.question })}</p>
        ${
          sheet.wrong &&
          html`
            <p class="problem" role="alert">${t(length > BOUNDS.question ? "ask.long" : "ask.short")}</p>
          `
        }
        <${Switch} id="share" label=${t("ask.share")} more=${t("ask.share.more")} on=${!!sheet.share} set=${(share) => set({ share })} />
        <${Waits} spy=${status?.spy} />
        <div class="pair">
          <button type="submit" class=${`button big ${rather ? "" : "primary"}`} id="ask-go">${t("ask.go")}</button>
          <button type="button" class=${`button big ${rather ? "primary" : ""}`} onClick=${() => send("discuss")}>
            ${t("ask.rather")}
          </button>
        </div>
      </form>
    <//>
  `;
}

export const Discuss = ({ state }) => html`
  <${Sheet} id="discuss" title=${t("home.discuss")}>
    <p class="muted">${t("discuss.text")}</p>
    <${Waits} spy=${state.status?.spy} />
    <button type="button" class="button primary big wide" id="discuss-go" onClick=${() => send("discuss")}>${t("discuss.go")}</button>
  <//>
`;
