// Show the ready screen: the own picture, the devices, two promises, one press. Only here the browser asks for permission, and the stage is
// loaded meanwhile, so that it is ready for a match.
import { useEffect, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Banner } from "../parts/banner.js";
import { Switch } from "../parts/switch.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Checked } from "./checked.js";
import { local } from "./media.js";
import { Own } from "./picture.js";
import { Problem } from "./told.js";

void import("./stage.js").catch(() => {}); // nothing here waits for it

const pref = (name) => (value) => send("pref", { name, value });

function Meter({ serial }) {
  const box = useRef(null);
  useEffect(() => {
    if (!local().getAudioTracks().length) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 512 });
    const source = context.createMediaStreamSource(local());
    source.connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    const look = setInterval(() => {
      analyser.getFloatTimeDomainData(wave);
      const loud = Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
      if (box.current) box.current.dataset.level = Math.min(5, Math.round(Math.sqrt(loud) * 8));
    }, 100);
    return () => (clearInterval(look), source.disconnect(), void context.close());
  }, [serial]);
  return html`
    <span class="meter" ref=${box} data-level="0" role="img" aria-label=${t("ready.level")}>
      <i></i>
      <i></i>
      <i></i>
      <i></i>
      <i></i>
    </span>
  `;
}

/** Show a select, `[value, name]` each, under its label. */
const Select = ({ id, label, options, value, set }) => html`
  <div class="field">
    <label for=${id}>${label}</label>
    <select class="select" id=${id} onChange=${(event) => set(event.target.value)}>
      ${options.map(
        ([option, name]) => html`
          <option key=${option} value=${option} selected=${option === value}>${name}</option>
        `,
      )}
    </select>
  </div>
`;

function Devices({ kind, label, list, chosen }) {
  if (!list.length) return null;
  const options = list.map(({ id, label: own }, index) => [id, own || t("ready.device", { kind: label, n: index + 1 })]);
  return html`
    <${Select} id=${`choose-${kind}`} label=${label} options=${options} value=${chosen} set=${(id) => send("choose", { kind, id })} />
  `;
}

/** Offer blur of oneself, if the browser and this camera can: the background, or all. */
const OwnBlur = ({ devices, blurs, ownBlur }) =>
  devices.cameras.length > 0 &&
  blurs.length > 1 &&
  html`
    <${Select}
      id="own-blur"
      label=${t("ready.own")}
      options=${blurs.map((how) => [how, t(`ready.own.${how}`)])}
      value=${blurs.includes(ownBlur) ? ownBlur : "all"}
      set=${(how) => send("own.blur", { how })}
    />
  `;

export const Choices = ({ video, video: { devices, chosen } }) => html`
  <${Devices} kind="camera" label=${t("ready.camera")} list=${devices.cameras} chosen=${chosen.camera} />
  <${OwnBlur} ...${video} />
  <${Devices} kind="microphone" label=${t("ready.microphone")} list=${devices.microphones} chosen=${chosen.microphone} />
  <${Devices} kind="speaker" label=${t("ready.speaker")} list=${devices.speakers} chosen=${chosen.speaker} />
`;

export function Ready({ state }) {
  const { video, prefs, config } = state;
  const { problem } = video;
  return html`
    <div class="room ready">
      <header class="roomtop">
        <div class="bar">
          <div>
            <div class="who">
              <h1 tabindex="-1">${t("ready.title")}</h1>
              <p>${t("ready.nobody")}</p>
            </div>
            <div class="end">
              <button type="button" class="round" aria-label=${t("close")} onClick=${() => send("ready.stop")}>${icon("close")}</button>
            </div>
          </div>
        </div>
        <${Banner} state=${state} />
      </header>
      <main class="middle" tabindex="0">
        <div class="look">
          <div class="preview">
            ${
              video.has.camera &&
              html`
                <${Own} serial=${video.local} />
              `
            }
            ${
              video.asked === 1.5 &&
              html`
                <p class="told">${t("ready.asking")}</p>
              `
            }
            ${
              video.has.microphone &&
              html`
                <${Meter} serial=${video.local} />
              `
            }
          </div>
          ${
            config.pictures &&
            html`
              <div class="checked"><${Checked} config=${config} /></div>
            `
          }
          <div class="choices">
            ${
              problem &&
              html`
                <${Problem} why=${problem} />
              `
            }
            <${Choices} video=${video} />
            <p class="curtains">${t("curtain.before")}</p>
            <${Switch} id="hush" label=${t("curtain.hush")} more=${t("curtain.hush.more")} on=${prefs.hush} set=${pref("hush")} />
            ${
              config.relay
                ? html`
                    <${Switch} id="hide" label=${t("ready.hide")} more=${t("ready.hide.more")} on=${prefs.hide} set=${pref("hide")} />
                  `
                : html`
                    <div class="setting">
                      <div>
                        <span class="label">${t("ready.hide")}</span>
                        <p class="hint">${t("ready.hide.none")}</p>
                      </div>
                    </div>
                  `
            }
          </div>
        </div>
      </main>
      <footer class="deck">
        <div>
          <button
            type="button"
            class="button primary big wide"
            id="ready-go"
            aria-disabled=${video.local ? null : "true"}
            onClick=${() => video.local && send("ready.go")}
          >
            ${icon("video")}${t("ready.go")}
          </button>
        </div>
      </footer>
    </div>
  `;
}
