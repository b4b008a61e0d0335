// The few things that HTML and CSS cannot do: copying, closing menus, the chart. Every page works without this file.
"use strict";

const language = document.documentElement.lang;

function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
}

async function copy(button) {
  const label = button.querySelector("span");
  const before = label.textContent;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = before; }, 2000);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
}

function closeMenuOnEscape(event) {
  const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

// Sizes in bytes use decimal units, as the tables do.
function formatter(unit) {
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  if (unit !== "byte") return (value) => short.format(value);
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return (value) => {
    const power = value ? Math.min(Math.floor(Math.log10(Math.abs(value)) / 3), units.length - 1) : 0;
    return `${plain.format(value / 1000 ** power)} ${units[power]}`;
  };
}

// The table is the source of the chart, so the two cannot disagree.
function tableDays(table) {
  return [...table.tBodies[0].rows].map((row) => ({
    mark: row.querySelector("time").dataset.mark,
    label: row.querySelector("time").textContent,
    text: row.cells[1].textContent.trim(),
    value: row.cells[1].dataset.value === undefined ? null : Number(row.cells[1].dataset.value),
  }));
}

function chartOptions(chart, days, readout) {
  const theme = getComputedStyle(document.documentElement);
  const colour = (name) => theme.getPropertyValue(name).trim();
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const short = formatter(chart.dataset.unit);
  const grid = { stroke: colour("--line"), width: 1 };
  return {
    width: chart.clientWidth,
    height: chart.clientHeight,
    legend: { show: false },
    cursor: { y: false, move: (plot, left, top) => [plot.valToPos(Math.round(plot.posToVal(left, "x")), "x"), top], drag: { setScale: false, x: false, y: false }, points: { show: false } },
    scales: { x: { time: false, range: [-0.6, days.length - 0.4] }, y: { range: (plot, low, high) => [Math.min(low * 1.06, 0), high > 0 ? high * 1.06 : low < 0 ? 0 : 1] } },
    axes: [
      { stroke: colour("--ink-soft"), font, grid: { show: false }, ticks: { show: false }, gap: 6, size: 30, space: 34, incrs: [1, 2, 5, 10],
        values: (plot, marks) => marks.map((mark) => days[mark]?.mark ?? "") },
      { stroke: colour("--ink-soft"), font, grid, ticks: { show: false }, gap: 8, size: 66, space: 44,
        values: (plot, marks) => marks.map(short) },
    ],
    series: [{}, { fill: colour("--accent"), stroke: colour("--accent"), width: 0, points: { show: false },
      paths: uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 }) }],
    hooks: { setCursor: [(plot) => {
      const day = days[plot.cursor.idx];
      readout.replaceChildren(...(day ? [`${day.label} `, Object.assign(document.createElement("strong"), { textContent: day.text })] : []));
    }] },
  };
}

function drawChart(chart) {
  chart.replaceChildren();
  const days = tableDays(document.getElementById(chart.dataset.chart));
  const readout = document.querySelector("[data-chart-readout]");
  const data = [days.map((_, index) => index), days.map((day) => day.value)];
  const plot = new uPlot(chartOptions(chart, days, readout), data, chart);
  chart.observer?.disconnect();
  chart.observer = new ResizeObserver(() => plot.setSize(inner(chart)));
  chart.observer.observe(chart);
  plot.setSize(inner(chart));
}

function inner(chart) {
  const style = getComputedStyle(chart);
  return {
    width: chart.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
    height: chart.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom),
  };
}

// On a phone a row is a list of its cells, which then need the names of their columns.
function labelCells() {
  document.querySelectorAll("table:has(thead th:nth-child(4))").forEach((table) => {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    [...table.tBodies].flatMap((body) => [...body.rows]).flatMap((row) => [...row.cells]).forEach((cell) => {
      if (cell.tagName === "TD" && names[cell.cellIndex]) cell.dataset.label = names[cell.cellIndex];
    });
  });
}

// What takes a while says so, and cannot be asked for twice. The pressed button is sent, so it is disabled afterwards.
function showWorking(form) {
  form.querySelector(".working").hidden = false;
  form.setAttribute("aria-busy", "true");
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
}

function showNotWorking() {
  document.querySelectorAll("form[data-working][aria-busy]").forEach((form) => {
    form.removeAttribute("aria-busy");
    form.querySelector(".working").hidden = true;
    form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  });
}

document.addEventListener("submit", (event) => { if (event.target.matches("[data-working]")) showWorking(event.target); });
addEventListener("pageshow", showNotWorking);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  closeMenus(event.target.closest("details[data-menu]"));
});
document.addEventListener("keydown", closeMenuOnEscape);
document.addEventListener("htmx:load", labelCells);
showCopyButtons();
labelCells();
const drawCharts = () => document.querySelectorAll("[data-chart]").forEach(drawChart);
drawCharts();
// A canvas keeps the colours that it was painted with.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
