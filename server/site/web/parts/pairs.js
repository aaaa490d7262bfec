// Show users who both chose to meet again: the wish in a chat, those who are here, calls, and the list in the settings.
import { Face, nameOf, partnerFace } from "../face.js";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { pairOf } from "../pairs.js";
import { send } from "../store.js";
import { t } from "../words.js";

const dayOf = (seconds) => new Date(seconds * 1000).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long", year: "numeric" });

/** Whether a pair can be made of the chat, and this browser can store it: it has a cookie and keeps something. */
export const mayKeep = ({ can, prefs, chat, ended }) =>
  can.cookies && can.keep && !prefs.nothing && chat.role !== "spy" && !chat.blocked && !ended?.reported;

/** Offer to keep in touch, in the menu of a chat and at its end. `kind`: classes of the button. */
export const Keep = ({ chat, kind = "" }) =>
  chat.friend === "asked" || chat.friend === "not" || chat.friend === "kept"
    ? html`
        <p class="small keeping">${chat.friend === "kept" ? t("keep.kept", { name: nameOf(partnerFace(chat)) }) : t(`keep.${chat.friend}`)}</p>
      `
    : html`
        <button type="button" class=${kind} id="keep" onClick=${() => send("befriend")}>${icon("heart")}${t("keep.offer")}</button>
      `;

/** Show one of them with its face and name, what is `known` of it, and a button. */
const Pair = ({ face, known, children }) => html`
  <li>
    <${Face} face=${face} />
    <span>
      <b>${nameOf(face)}</b>
      <span class="small muted">${known}</span>
    </span>
    ${children}
  </li>
`;

/** Show on the home screen who of them searches now. */
export const Here = ({ state: { here, prefs } }) => html`
  <section class="pairs" aria-labelledby="pairs-here">
    <h2 id="pairs-here">${t("pairs.here", { n: here.length })}</h2>
    <ul>
      ${here.map((place) => {
        const { token, face, met } = pairOf(prefs.pairs[place]);
        return html`
          <${Pair} key=${token} face=${face} known=${t("pairs.met", { date: dayOf(met) })}>
            <button type="button" class="button" aria-label=${t("pairs.call.name", { name: nameOf(face) })} onClick=${() => send("ring", { place })}>
              ${t("pairs.call")}
            </button>
          <//>
        `;
      })}
    </ul>
  </section>
`;

/** Show in a search who calls. */
export const Calls = ({ state: { calls, prefs } }) =>
  Object.entries(calls).map(([place, mode]) => {
    const { token, face } = pairOf(prefs.pairs[place]);
    return html`
      <div class="quiet calls" key=${token}>
        <p>
          <${Face} face=${face} />
          <span>${t("pairs.calls", { name: nameOf(face) })}</span>
        </p>
        <div class="pair">
          <button type="button" class="button" onClick=${() => send("decline", { place })}>${t("pairs.later")}</button>
          <button type="button" class="button primary" onClick=${() => send("ring", { place: Number(place), mode })}>${t("pairs.talk")}</button>
        </div>
      </div>
    `;
  });

/** Show whom this search calls. */
export const Calling = ({ state: { find, prefs } }) => {
  const entry = prefs.pairs[find.extra.call];
  if (!entry) return null;
  const { face } = pairOf(entry);
  return html`
    <p class="calling"><${Face} face=${face} /><b>${nameOf(face)}</b></p>
    <p class="sub">${t("pairs.silent")}</p>
  `;
};

/** List all of them in the settings, each with a way to forget it. */
export const PairList = ({ prefs }) => html`
  <h2 id="pairs" tabindex="-1">${t("pairs.title")}</h2>
  <ul class="pairs">
    ${prefs.pairs.map((entry, place) => {
      const { token, face, until } = pairOf(entry);
      return html`
        <${Pair} key=${token} face=${face} known=${t("pairs.until", { date: dayOf(until) })}>
          <button type="button" class="round" aria-label=${t("pairs.drop", { name: nameOf(face) })} onClick=${() => send("pair.drop", { place })}>
            ${icon("close")}
          </button>
        <//>
      `;
    })}
  </ul>
`;
