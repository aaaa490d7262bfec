// Move the focus when the screen changes, and only then. `chat` is the text field for a mouse; on touch it is the heading, since a keyboard
// that opens by itself would cover the card.

/** Whether a sentence is being written, which keeps the focus when its chat ends: the keys that belong to it must press nothing. */
const writing = () => document.activeElement?.id === "message" && document.activeElement.value !== "";

export function moveFocus(on) {
  if (on === "#meet" && writing()) return;
  const target = on === "chat" ? (matchMedia("(pointer: fine)").matches ? "#message" : "h1") : on;
  const node = document.querySelector(`dialog[open] ${target}`) ?? document.querySelector(target) ?? document.querySelector("h1");
  node?.focus({ preventScroll: target !== "#meet" });
}
