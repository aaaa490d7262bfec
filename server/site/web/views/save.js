// Save a chat: the consequences are shown before; then two links, the second one private.
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { OwnText } from "../parts/text.js";
import { send } from "../store.js";
import { t } from "../words.js";

/** Share a link by the system's dialog; closed without a choice, nothing happens. */
const share = (url) => navigator.share({ title: t("save.shared"), url }).catch(() => {});

/** Show a link. `open`: it may be opened and shared from here; a deletion link may not, so that it is not given away by mistake. */
function Link({ id, label, url, copied, open }) {
  const full = new URL(url, location.href).href;
  const copy = () =>
    navigator.clipboard
      .writeText(full)
      .then(() => send("copied", { which: id }))
      .catch(() => document.getElementById(id)?.select()); // closed meanwhile: there is nothing to select
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <div class="link">
        <input class="input" id=${id} readonly value=${full} dir="ltr" onFocus=${(event) => event.target.select()} />
        <button type="button" class="button" onClick=${copy}>${t(copied === id ? "save.copied" : "save.copy")}</button>
      </div>
      ${
        open &&
        html`
          <div class="link">
            <a class="button wide" href=${full} target="_blank" rel="noopener">${t("save.open")}</a>
            ${
              navigator.share &&
              html`
                <button type="button" class="button wide" onClick=${() => share(full)}>${t("save.share")}</button>
              `
            }
          </div>
        `
      }
    </div>
  `;
}

export function Save({ state }) {
  const { sheet } = state;
  const { saved, chat } = sheet.last && state.last ? state.last : state;
  if (saved) {
    return html`
      <${Sheet} id="save" title=${t("save.saved")} key="saved">
        <${Link} id="saved-link" label=${t("save.link")} url=${saved.url} copied=${sheet.copied} open />
        ${
          saved.delete &&
          html`
            <${Link} id="saved-delete" label=${t("save.remove")} url=${saved.delete} copied=${sheet.copied} />
          `
        }
      <//>
    `;
  }
  const { busy, problem } = sheet;
  return html`
    <${Sheet} id="save" title=${t("save.title")} cross=${false} key="ask">
      <p class="muted">${t("save.text")}</p>
      ${
        problem &&
        html`
          <p class="problem">${t(`save.${problem}`)}</p>
        `
      }
      ${
        problem !== "late" &&
        html`
          <button type="button" class="button primary big wide" aria-busy=${busy ? "true" : null} onClick=${() => !busy && send("save")}>
            ${t(busy ? "save.saving" : problem ? "save.retry" : "save.go")}
          </button>
        `
      }
      ${
        chat?.lines.length > 0 &&
        html`
          <p class="label">${t("text.own")}</p>
          <div class="owntext"><${OwnText} chat=${chat} now=${state.now} kind="button" /></div>
        `
      }
      <button type="button" class="button wide" onClick=${() => send("close")}>${t(problem === "late" ? "close" : "cancel")}</button>
    <//>
  `;
}
