// Focus moves on a change of screen, and only then. `chat` is the field for a fine pointer; on touch it is the heading,
// since a keyboard that opens by itself would cover the card.

export function moveFocus(on) {
  const target = on === "chat" ? (matchMedia("(pointer: fine)").matches ? "#message" : "h1") : on;
  const node = document.querySelector(`dialog[open] ${target}`) ?? document.querySelector(target) ?? document.querySelector("h1");
  node?.focus({ preventScroll: target !== "#meet" });
}
