// Report in two taps. With "Add a note first" the reasons become radios and a field opens. Also what the end of the chat shows after a
// report.
import { useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { BOUNDS, REASONS } from "../client/protocol.js";
import { send } from "../store.js";
import { gap, t } from "../words.js";

/** Move within the radios by the arrow keys, as usual. */
function moved(event) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll("[role=radio]")];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  next.click();
}

export function Report({ state }) {
  const { note, reason, wrong, who } = state.sheet;
  const field = useRef(null);
  const set = (change) => send("sheet.set", { change });
  const submit = (event) => {
    event.preventDefault();
    if (!reason) set({ wrong: true });
    else send("report", { reason, who, note: [...field.current.value.trim()].slice(0, BOUNDS.note).join("") });
  };
  const radio = (code, index) => html`
    <button
      key=${code}
      type="button"
      role="radio"
      class="button"
      aria-checked=${reason === code ? "true" : "false"}
      tabindex=${reason === code || (!reason && index === 0) ? 0 : -1}
      onClick=${() => set({ reason: code, wrong: false })}
    >
      ${t(`report.${code}`)}
    </button>
  `;
  const tap = (code) => html`
    <button key=${code} type="button" class="button" onClick=${() => send("report", { reason: code, who })}>${t(`report.${code}`)}</button>
  `;
  if (state.chat?.role === "spy" && !who && !state.sheet.last) {
    return html`
      <${Sheet} id="report" title=${t("report.who")} cross=${false}>
        <div class="reasons">
          ${[1, 2].map(
            (n) => html`
              <button key=${n} type="button" class="button" onClick=${() => set({ who: n })}>${t("chat.strangern", { n })}</button>
            `,
          )}
        </div>
        <button type="button" class="button plain" onClick=${() => send("close")}>${t("cancel")}</button>
      <//>
    `;
  }
  return html`
    <${Sheet} id="report" title=${t("report.title")} cross=${false}>
      <p class="muted">${t(state.phase === "ended" || state.sheet.last ? "report.after" : "report.text")}${!state.config.moderated && gap() + t("report.unread")}</p>
      ${
        note
          ? html`
              <form class="reasons" onSubmit=${submit}>
                <div class="reasons" role="radiogroup" aria-label=${t("report.reasons")} onKeyDown=${moved}>${REASONS.map(radio)}</div>
                ${
                  wrong &&
                  html`
                    <p class="problem" role="alert">${t("report.pick")}</p>
                  `
                }
                <div class="field">
                  <label for="report-note">${t("report.what")}</label>
                  <textarea class="input" id="report-note" ref=${field} rows="3" dir="auto" maxlength=${BOUNDS.note}></textarea>
                </div>
                <div class="pair">
                  <button type="button" class="button" onClick=${() => send("close")}>${t("cancel")}</button>
                  <button type="submit" class="button primary">${t("report.send")}</button>
                </div>
              </form>
            `
          : html`
              <div class="reasons">${REASONS.map(tap)}</div>
              <div class="row">
                <button type="button" class="button plain" onClick=${() => set({ note: true })}>${t("report.note")}</button>
                <button type="button" class="button plain" onClick=${() => send("close")}>${t("cancel")}</button>
              </div>
            `
      }
    <//>
  `;
}

/** Show whom to call: a local number, a page, or both. */
const Entry = ({ name, call, url }) => html`
  <li>
    ${
      url
        ? html`
            <a href=${url} target="_blank" rel="noopener noreferrer">${name}</a>
          `
        : name
    }
    ${
      call &&
      html`
        <a href=${`tel:${call.replace(/[^0-9+*#]/g, "")}`}>${call}</a>
      `
    }
  </li>
`;

export const Reported = ({ ended: { reported, cause, receipt, help } }) => html`
  ${
    reported === "danger" &&
    html`
      <p>${t("reported.danger")}</p>
      <ul class="help">${help?.map(Entry)}</ul>
    `
  }
  ${
    cause !== "reported" &&
    html`
      <p>${t("ended.reported")}</p>
    `
  }
  ${
    receipt &&
    html`
      <p><a href=${receipt} target="_blank" rel="noopener">${t("reported.receipt")}</a></p>
    `
  }
`;
