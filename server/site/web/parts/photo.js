// Show pictures that the two send each other: the question, the row in the menu, the preview, a picture in the log and large.
import { nameOf, partnerFace } from "../face.js";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { areShared } from "../reduce/photos.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Sheet } from "./sheet.js";

const still = (event) => event.preventDefault();

/** Ask whether the partner may send pictures. */
export const PhotoAsk = ({ chat }) => html`
  <div>
    <div class="photoask" role="group" aria-labelledby="photo-wants">
      <p id="photo-wants">${icon("photo")}<span>${t("photo.wants", { who: nameOf(partnerFace(chat)) })}</span></p>
      <div>
        <button type="button" class="button primary" id="photo-allow" onClick=${() => send("photo.allow", { on: true })}>${t("photo.allow")}</button>
        <button type="button" class="button" id="photo-no" onClick=${() => send("photo.no")}>${t("photo.no")}</button>
      </div>
    </div>
  </div>
`;

/** Offer pictures in the menu of a chat. */
export const PhotoMenu = ({ chat }) => {
  const { can, own, theirs } = chat.photos ?? {};
  if (!can) return null;
  const allow = (on) => send("photo.allow", { on });
  return html`
    ${
      !own &&
      html`
        <button type="button" id="photo-ask" onClick=${() => (allow(true), send("close"))}>
          ${icon("photo")}${t(theirs ? "photo.allow.theirs" : "photo.ask")}
        </button>
      `
    }
    ${
      own &&
      !theirs &&
      html`
        <p class="small">${t("photo.asked")}</p>
      `
    }
    ${
      areShared(chat) &&
      html`
        <button type="button" id="photo-send" onClick=${() => send("photo.choose")}>${icon("photo")}${t("photo.send")}</button>
      `
    }
    ${
      own &&
      html`
        <button type="button" id="photo-off" onClick=${() => (allow(false), send("close"))}>${icon("block")}${t("photo.turnoff")}</button>
      `
    }
  `;
};

/** Show what will be sent, as it will be sent. */
export const PhotoSheet = ({ state: { sheet, config } }) => html`
  <${Sheet} id="photo" title=${t(sheet.bad ? "photo.bad" : "photo.title")}>
    ${
      sheet.url &&
      html`
        <img class="preview" src=${sheet.url} alt=${t("photo.preview")} draggable="false" />
        <p class="small muted">${t(config.in_chat === "checked" ? "photo.what" : "photo.what.unchecked")}</p>
      `
    }
    <div class="row">
      ${
        sheet.url &&
        html`
          <button type="button" class="button primary big" id="photo-go" onClick=${() => send("photo.give")}>${t("photo.go")}</button>
        `
      }
      <button type="button" class="button big" id="photo-other" onClick=${() => send("photo.choose")}>${t("photo.other")}</button>
    </div>
  <//>
`;

export const PhotoLarge = ({ state: { sheet } }) => html`
  <${Sheet} id="large" title=${sheet.name}>
    <img class="preview large" src=${sheet.url} alt=${sheet.name} draggable="false" onContextMenu=${still} />
  <//>
`;

/** Show what is known of a picture that is not there, and what can be done. */
const Missing = ({ photo: { id, key, state, why }, mine, over }) => html`
  <div class=${`state ${state === "failed" ? "bad" : ""}`}>
    <span>${t(state === "failed" ? (why ? `photo.failed.${why}` : "photo.failed") : `photo.${state}`)}</span>
    ${
      !over &&
      state === "failed" &&
      why !== "not" &&
      html`
        <button type="button" onClick=${() => send("photo.retry", { id })}>${t("chat.retry")}</button>
      `
    }
    ${
      !over &&
      mine &&
      state === "failed" &&
      html`
        <button type="button" onClick=${() => send("photo.remove", { id })}>${t("chat.delete")}</button>
      `
    }
    ${
      !over &&
      state === "gone" &&
      html`
        <button type="button" onClick=${() => send("photo.again", { key })}>${t("photo.again")}</button>
      `
    }
  </div>
`;

/** Show a picture of the partner: blurred until it is pressed, and blurred again by another press. One with a veil says why, and asks. */
function Theirs({ photo: { key, url, veil, open }, name }) {
  const shown = open === true;
  const turn = () => send("photo.turn", { key });
  const label = shown ? t("photo.hide.name", { name }) : t("photo.show.name", { name });
  return html`
    <div class="photo" data-blurred=${shown ? null : ""}>
      <button type="button" class="face-of" aria-label=${label} aria-pressed=${shown ? "true" : "false"} onClick=${turn} onContextMenu=${still}>
        <img src=${url} alt=${shown ? name : ""} draggable="false" />
        ${
          !shown &&
          html`
            <span aria-hidden="true">${icon("eye")}${t(open === "ask" ? "photo.anyway" : "photo.show")}</span>
          `
        }
      </button>
    </div>
    ${
      veil &&
      html`
        <p class="state veil">${t(`photo.${veil}`)}</p>
      `
    }
    ${
      shown &&
      html`
        <div class="state">
          <button type="button" onClick=${turn}>${t("photo.hide")}</button>
          <button type="button" onClick=${() => send("sheet", { is: "large", url, name })}>${t("photo.larger")}</button>
        </div>
      `
    }
  `;
}

export function Photo({ entry: { by, photo }, face, over }) {
  const mine = by === "me";
  const name = mine ? t("photo.own") : t("photo.theirs", { who: nameOf(face) });
  return html`
    <span class="hush">${name}</span>
    ${
      photo.url && mine
        ? html`
            <div class="photo" data-open=${photo.state}>
              <button type="button" class="face-of" aria-label=${t("photo.larger.name", { name })} onClick=${() => send("sheet", { is: "large", url: photo.url, name })}>
                <img src=${photo.url} alt=${name} draggable="false" />
              </button>
            </div>
          `
        : photo.url &&
          html`
            <${Theirs} photo=${photo} name=${name} />
          `
    }
    ${
      photo.state !== "shown" &&
      html`
        <${Missing} photo=${photo} mine=${mine} over=${over} />
      `
    }
    ${
      mine &&
      photo.state === "shown" &&
      photo.veil === "nudity" &&
      html`
        <p class="state veil">${t("photo.veiled")}</p>
      `
    }
  `;
}
