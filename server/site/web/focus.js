// Focus moves on a change of screen, and only then. `chat` is the field for a fine pointer; on touch it is the heading,
// since a keyboard that opens by itself would cover the card.

/** A sentence that is being written keeps the focus when its chat is over: the keys that belong to it press nothing. */
const writing = () => document.activeElement?.id === "message" && document.activeElement.value !== "";

export function moveFocus(on) {
  if (on === "#meet" && writing()) return;
  const target = on === "chat" ? (matchMedia("(pointer: fine)").matches ? "#message" : "h1") : on;
  const node = document.querySelector(`dialog[open] ${target}`) ?? document.querySelector(target) ?? document.querySelector("h1");
  node?.focus({ preventScroll: target !== "#meet" });
}
