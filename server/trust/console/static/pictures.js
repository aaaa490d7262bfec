// Pictures of a case: none is loaded before its button is pressed; then it is small, grey and blurred, and sharp only while a key or a button is
// held. V holds the picture in whose frame the keyboard is, else the last one that was loaded; X loads the next one.
const section = document.querySelector(".pictures");
const why = document.getElementById("look-why");
let left = Number(section?.dataset.left ?? 0);
let last = null;

const blurred = () => {
  for (const frame of document.querySelectorAll(".shot.sharp")) frame.classList.remove("sharp");
};

function load(frame) {
  if (why && !why.reportValidity()) return;
  const ask = frame.querySelector(".load");
  const image = new Image();
  image.alt = frame.dataset.what;
  image.draggable = false;
  image.addEventListener("load", () => {
    ask.replaceWith(image);
    frame.querySelector(".hold").hidden = false;
    frame.querySelector(".hold").focus();
    last = frame;
    left -= 1;
    if (left <= 0) document.getElementById("enough").hidden = false;
  });
  image.addEventListener("error", () => {
    ask.disabled = false;
    frame.querySelector("[role=status]").hidden = false;
  });
  ask.disabled = true;
  image.src = frame.dataset.picture + (why ? `?${new URLSearchParams({ why: why.value })}` : "");
}

for (const frame of document.querySelectorAll(".shot")) {
  const hold = frame.querySelector(".hold");
  const sharp = () => frame.classList.add("sharp");
  frame.querySelector(".load").hidden = false;
  frame.querySelector(".load").addEventListener("click", () => load(frame));
  hold.addEventListener("pointerdown", sharp);
  hold.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    sharp();
  });
  hold.addEventListener("contextmenu", (event) => event.preventDefault());
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("textarea, select, input:not([type=radio])")) return;
  if (event.code === "KeyX" && !event.ctrlKey) {
    const waiting = document.querySelector(".shot .load:not([disabled])");
    if (waiting) load(waiting.closest(".shot"));
    return;
  }
  if (event.code !== "KeyV" && event.key.toLowerCase() !== "v") return;
  const frame = document.activeElement?.closest(".shot") ?? last;
  if (frame?.querySelector("img")) frame.classList.add("sharp");
});
for (const over of ["keyup", "pointerup", "pointercancel", "blur"]) addEventListener(over, blurred);
document.addEventListener("visibilitychange", blurred);
