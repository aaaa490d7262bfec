// Ask a user who wrote that they are under 18: the chat is held, or over. Two answers of equal weight, and no blame.
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Claimed = ({ state: { sheet, phase } }) => html`
  <${Sheet} id="claimed" title=${sheet.age ? t("claimed.title", { age: String(sheet.age) }) : t("claimed.title.under")} cross=${false} shut="claimed.shut">
    <p>${t("claimed.text")}</p>
    ${
      phase === "chat" &&
      html`
        <p>${t("claimed.waits")}</p>
      `
    }
    <div class="pair">
      <button type="button" class="button big" id="claimed-under" onClick=${() => send("claimed.answer", { adult: false })}>${t("claimed.under")}</button>
      <button type="button" class="button big" id="claimed-over" onClick=${() => send("claimed.answer", { adult: true })}>${t("claimed.over")}</button>
    </div>
    <p class="hint">${t("claimed.once")}</p>
  <//>
`;
