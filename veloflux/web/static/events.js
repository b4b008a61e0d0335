// New events appear at the top as they come. The stream says that there are some; the page itself, asked again, has
// their rows in the reader's language. What is open stays open.
"use strict";

const button = document.querySelector("[data-live]");
const ROWS_MAX = 500;
const PAUSE_MS = 1000;
let source = null;
let isAsking = false;
let isAsked = false;

function toggle() {
  if (source) {
    source.close();
    source = null;
  } else {
    source = new EventSource(button.dataset.live);
    source.addEventListener("open", refresh);
    source.addEventListener("message", refresh);
  }
  button.setAttribute("aria-pressed", String(source !== null));
}

async function refresh() {
  isAsked = true;
  if (isAsking) return;
  isAsking = true;
  while (isAsked && source) {
    isAsked = false;
    const answer = await fetch(location.href).catch(() => null);
    if (answer?.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    await new Promise((done) => { setTimeout(done, PAUSE_MS); });
  }
  isAsking = false;
}

function show(page) {
  const rows = document.getElementById("entries");
  const newRows = page.getElementById("entries");
  if (!newRows) return;
  if (!rows) {
    document.getElementById("events").replaceWith(page.getElementById("events"));
  } else {
    const first = rows.firstElementChild;
    for (const row of [...newRows.rows]) if (!document.getElementById(row.id)) rows.insertBefore(row, first);
    while (rows.rows.length > ROWS_MAX) rows.lastElementChild.remove();
  }
  labelCells();
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", toggle);
}
