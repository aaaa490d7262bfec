// Show the end of a chat below its last line, and the next actions. Loaded with the search.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Copy } from "../parts/copy.js";
import { Keep, mayKeep } from "../parts/pairs.js";
import { textOf } from "../parts/text.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Reported } from "./report.js";

export const Tail = ({ ended, config, code }) => html`
  <div class="divider over">
    <p>${t(`ended.${ended.cause}`)}</p>
    ${
      ended.reported &&
      html`
        <${Reported} ended=${ended} />
      `
    }
    ${
      ended.cause === "moderation" &&
      config.appeal &&
      html`
        <p><a href=${config.appeal}>${t("ended.why")}</a></p>
      `
    }
    ${
      ended.cause === "broken" &&
      code &&
      html`
        <p class="muted">${t("ended.code", { code: String(code) })}</p>
      `
    }
  </div>
`;

export function Deck({ state }) {
  const { ended, config, saved } = state;
  if (ended.cause === "broken")
    return html`
      <button type="button" class="button primary big first" id="meet" onClick=${() => send("reload")}>${t("ended.reload")}</button>
    `;
  const counting = ended.count !== null;
  return html`
    <button
      type="button"
      class="button primary big first"
      id="meet"
      onKeyDown=${({ key }) => key.length === 1 && key !== " " && send("ended.typed")}
      onClick=${({ detail }) => send("meet", { key: !detail })}
    >
      ${
        counting
          ? html`
              <span>${t("ended.next", { n: ended.count })}</span>
            `
          : t("ended.meet")
      }
    </button>
    ${
      counting &&
      html`
        <button type="button" class="button big halt" onClick=${() => send("count.stop")}>${t("ended.stop")}</button>
      `
    }
    ${
      state.chat?.lines.length > 0 &&
      (config.save && !ended.unknown
        ? html`
            <button type="button" class="button other" onClick=${() => send("sheet", { is: "save" })}>
              ${icon(saved ? "check" : "save")}${t("ended.save")}
            </button>
          `
        : html`
            <${Copy} kind="button other" text=${() => textOf(state.chat, state.now)} label=${t("text.copy")} />
          `)
    }
    ${
      state.chat?.lines.length > 0 &&
      !ended.unknown &&
      mayKeep(state) &&
      html`
        <${Keep} chat=${state.chat} kind="button other" />
      `
    }
    <button type="button" class="button other" onClick=${() => send("home")}>${t("ended.topics")}</button>
  `;
}
