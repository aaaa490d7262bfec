// Show one line of the log. It is keyed by its id and never replaced, only marked, so that a screen reader reads it once.
import { Component } from "../vendor/preact.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { send } from "../store.js";
import { blank, clean } from "../text.js";
import { t } from "../words.js";
import { Copy } from "./copy.js";
import { Pick, Shown } from "./faces.js";
import { laterPiece } from "./later.js";
import { alone, linksOf, partsOf, shortOf } from "./said.js";

const Photo = laterPiece(() => import("./photo.js"), "Photo");
const Translated = laterPiece(() => import("./translated.js"), "Translated");

const speaker = (from) => (from === "me" ? t("chat.you") : from === "them" ? t("chat.stranger") : t("chat.strangern", { n: from }));
const side = (from) => (from === 1 ? "them" : from === 2 ? "two" : from);

const Refused = ({ entry: { key }, over }) => html`
  <div class="state bad">
    <span>${t("chat.notsent")}</span>
    ${
      !over &&
      html`
        <button type="button" onClick=${() => send("retry", { key })}>${t("chat.retry")}</button>
        <button type="button" onClick=${() => send("delete", { key })}>${t("chat.delete")}</button>
      `
    }
  </div>
`;

/** Whether a mouse pressed: keys do not, and a screen reader presses as a mouse does but has no pointer over the button. */
const byMouse = ({ detail, currentTarget }) => detail > 0 && matchMedia("(hover: hover)").matches && currentTarget.matches(":hover");

/** Offer faces, and a quote: one button for each line in the order of focus (`stop`: its tab stop is here), which the log does not announce as new. The quote is in what it opens too. */
const Acting = ({ entry: { key, seq, text }, stop, picking }) => html`
  <div class="acts" aria-live="off">
    ${
      seq > 0 &&
      html`
        <button
          type="button"
          class="quoting act"
          tabindex=${stop ? 0 : -1}
          title=${t("react")}
          aria-label=${t("react.pick", { line: shortOf(text) })}
          aria-expanded=${picking ? "true" : "false"}
          onClick=${(event) => send("react.open", { key, stays: !byMouse(event) })}
        >
          ${icon("smile")}
        </button>
      `
    }
    <button type="button" class="quoting" aria-hidden="true" tabindex="-1" title=${t("chat.quote")} onClick=${() => send("quote", { key })}>
      ${icon("quote")}
    </button>
  </div>
`;

export class Line extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((name) => next[name] !== this.props[name]);
  }

  render({ entry, turn, last, over, tongue, language, asking, faces, picking, stop, face }) {
    if (entry.from === "note")
      return html`
        <li class="divider">${entry.quiet ? html`<span role="note" aria-live="off">${t(entry.text, entry.values)}</span>` : t(entry.text, entry.values)}</li>
      `;
    if (entry.photo)
      return html`
        <li class=${`line photoline ${entry.by}`} data-key=${entry.key}><${Photo} entry=${entry} face=${face} over=${over} /></li>
      `;
    const { key, from, state, late } = entry;
    const { quote, text } = partsOf(entry.text);
    const nothing = blank(text);
    const big = !nothing && !quote && alone(text);
    const links = linksOf(text);
    const other = entry.other?.shown && entry.other;
    const spoken = language && language !== "*" && from !== "me" ? language : null;
    return html`
      <li class=${`line ${side(from)} ${turn ? "turn" : ""} ${last ? "last" : ""}`} data-state=${state} data-key=${key}>
        <span class=${turn && (from === 1 || from === 2) ? "by" : "hush"}>${t("chat.said", { who: speaker(from) })}</span>
        <div class="said">
          <div class=${`bubble ${big ? "big" : ""}`} lang=${other?.to ?? spoken} dir=${other ? document.dir : "auto"}>
            ${
              quote &&
              html`
                <blockquote lang=${other && ""} dir="auto">${quote}</blockquote>
              `
            }
            ${
              nothing
                ? html`
                    <span class="blank">${t("chat.blank")}</span>
                  `
                : other
                  ? clean(other.text)
                  : text
            }
          </div>
          ${
            !over &&
            !nothing &&
            (from === "me" || from === "them") &&
            html`
              <${Acting} entry=${entry} stop=${stop} picking=${picking} />
            `
          }
        </div>
        ${
          faces &&
          html`
            <${Shown} faces=${faces} who=${(from) => speaker(Number(from) || from)} />
          `
        }
        ${
          picking &&
          html`
            <${Pick} entry=${entry} own=${faces?.me} />
          `
        }
        ${
          links.length > 0 &&
          html`
            <div class="state">
              ${links.map(
                (link) => html`
                  <${Copy} key=${link} text=${link} label=${t(links.length > 1 ? "chat.copy.one" : "chat.copy.link", { link: hostOf(link) })} />
                `,
              )}
            </div>
          `
        }
        ${
          tongue &&
          from !== "me" &&
          html`
            <${Translated} entry=${entry} asking=${asking} />
          `
        }
        ${
          late &&
          state === "sending" &&
          html`
            <div class="state">${t("chat.sending")}</div>
          `
        }
        ${
          state === "refused" &&
          html`
            <${Refused} entry=${entry} over=${over} />
          `
        }
      </li>
    `;
  }
}

/** Return the beginning of an address, enough to tell it from another. */
const hostOf = (link) => link.replace(/^https?:\/\//i, "").slice(0, 24);
