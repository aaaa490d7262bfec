// Pick an emoji with a mouse or the arrow keys, from a fixed list; the device draws them.
import { useLayoutEffect, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { t } from "../words.js";

const GROUPS = [
  ["faces", "😀 😃 😄 😁 😆 😅 😂 🤣 🙂 🙃 😉 😊 😇 🥰 😍 🤩 😘 😋 😛 😜 🤪 🤗 🤭 🤫 🤔 🫡 🤐 🤨 😐 😶 😏 😒 🙄 😬 😌 😔 😴 🤒 🤧 🥵 🥶 😵‍💫 🤯 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😳 🥺 😢 😭 😱 😖 😤 😡 🤖 👻 💀"],
  ["hands", "👋 🤚 ✋ 🖖 👌 🤌 🤏 ✌️ 🤞 🤟 🤙 👈 👉 👆 👇 👍 👎 ✊ 👏 🙌 🫶 🤝 🙏 💪 🤷 🤦 🙋 💃 🕺"],
  ["hearts", "❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💕 💯 ✨ ⭐ 🌟 🔥 💥 🎉 🎈 🎁 💡 ❓ ❗ ✅ ❌ 💤"],
  ["nature", "🐶 🐱 🐭 🐰 🦊 🐻 🐼 🐨 🐯 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🦉 🐢 🐍 🐙 🦋 🐝 🐞 🐬 🐳 🌵 🌲 🌳 🌴 🍀 🌸 🌻 🌙 ☀️ ⛅ 🌧️ ❄️ 🌈 🌊"],
  ["food", "🍎 🍋 🍌 🍉 🍇 🍓 🍒 🥑 🥕 🌽 🍞 🧀 🥚 🍳 🥞 🍔 🍟 🍕 🌮 🍜 🍣 🍚 🍦 🍰 🍪 🍫 🍵 ☕ 🍺 🍷"],
  ["things", "⚽ 🏀 🎾 🏐 🎱 🏓 ⛵ 🚲 🚗 🚆 ✈️ 🚀 🏠 🏔️ 🏖️ ⏰ 📱 💻 📷 🎧 🎵 🎸 🎹 🎤 🎨 🎬 🎮 🎲 ♟️ 📚 ✏️ 📝 🔒 🔑 💸"],
].map(([name, all]) => [name, all.split(" ")]);
const ROW = 8; // as in the style

/** Return the button that an arrow key leads to, or null. */
function towards(key, at, most) {
  const rtl = document.documentElement.dir === "rtl" ? -1 : 1;
  const to = { ArrowRight: at + rtl, ArrowLeft: at - rtl, ArrowDown: at + ROW, ArrowUp: at - ROW, Home: 0, End: most - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(most - 1, to));
}

export function Emoji({ put }) {
  const box = useRef(null);
  useLayoutEffect(() => box.current.querySelector("[role=option]").focus(), []);
  const key = (event) => {
    const all = [...box.current.querySelectorAll("[role=option]")];
    const to = towards(event.key, all.indexOf(document.activeElement), all.length);
    if (to === null) return;
    event.preventDefault();
    all[to].focus();
  };
  return html`
    <div class="emoji" role="listbox" aria-label=${t("emoji.title")} ref=${box} onKeyDown=${key}>
      ${GROUPS.map(
        ([name, all], group) => html`
          <div role="group" aria-labelledby=${`emoji-${name}`}>
            <p class="hint" id=${`emoji-${name}`} role="presentation">${t(`emoji.${name}`)}</p>
            <div>
              ${all.map(
                (emoji, index) => html`
                  <button type="button" role="option" aria-selected="false" tabindex=${group || index ? -1 : 0} onClick=${() => put(emoji)}>
                    ${emoji}
                  </button>
                `,
              )}
            </div>
          </div>
        `,
      )}
    </div>
  `;
}
