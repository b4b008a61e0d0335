// Limits fill and empty as time passes: while the button is pressed, the page is asked again and its state shown anew.
"use strict";

const watch = document.querySelector("[data-watch]");
const EVERY_MS = 2000;
let timer = null;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || timer === null) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const state = page.getElementById("limits");
  if (state) document.getElementById("limits").replaceWith(state);
  labelCells();
}

function toggle() {
  if (timer === null) {
    timer = setInterval(refresh, EVERY_MS);
    refresh();
  } else {
    clearInterval(timer);
    timer = null;
  }
  watch.setAttribute("aria-pressed", String(timer !== null));
}

if (watch) {
  watch.hidden = false;
  watch.addEventListener("click", toggle);
}
