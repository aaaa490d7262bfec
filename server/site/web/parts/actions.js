// Show the actions at the end of the bar of a chat: report it, once, and more.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Actions = ({ reported, unknown }) => html`
  <div class="end">
    ${
      !reported &&
      !unknown &&
      html`
        <button type="button" class="round" aria-label=${t("chat.report")} onClick=${() => send("sheet", { is: "report" })}>
          ${icon("flag")}
        </button>
      `
    }
    <button
      type="button"
      class="round"
      aria-label=${t("chat.more")}
      aria-haspopup="dialog"
      onClick=${() => send("sheet", { is: "more" })}
    >
      ${icon("more")}
    </button>
  </div>
`;
