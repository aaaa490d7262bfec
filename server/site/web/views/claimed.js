// Ask a user who wrote that they are under 18: the chat is held, or over. After a hint the chat goes on, and the question may be closed. Two answers
// of equal weight, and no blame.
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { t } from "../words.js";

const titleOf = ({ age, hint }) => {
  if (hint) return t("claimed.title.hint");
  return age ? t("claimed.title", { age: String(age) }) : t("claimed.title.under");
};

export const Claimed = ({ state: { sheet, phase } }) => html`
  <${Sheet} id="claimed" title=${titleOf(sheet)} cross=${!!sheet.hint} shut="claimed.shut">
    <p>${t(sheet.hint ? "claimed.text.hint" : "claimed.text")}</p>
    ${
      phase === "chat" &&
      !sheet.hint &&
      html`
        <p>${t("claimed.waits")}</p>
      `
    }
    <div class="pair">
      <button type="button" class="button big" id="claimed-under" onClick=${() => send("claimed.answer", { adult: false })}>${t("claimed.under")}</button>
      <button type="button" class="button big" id="claimed-over" onClick=${() => send("claimed.answer", { adult: true })}>${t("claimed.over")}</button>
    </div>
    <p class="hint">${t(sheet.hint ? "claimed.once.hint" : "claimed.once")}</p>
  <//>
`;
