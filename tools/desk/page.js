// Draws DATA on one canvas: adjustments above, differences below, one time axis.
"use strict";

const canvas = document.getElementById("canvas");
const pen = canvas.getContext("2d");
const logBox = document.getElementById("log");

function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Kind(bytes.buffer);
}

const t = unpack(DATA.t, Float64Array);
const penUp = unpack(DATA.penUp, Uint8Array);
const curves = {};
for (const name in DATA.curves) curves[name] = unpack(DATA.curves[name], Float32Array);

const PANELS = [
  { title: "adjustment per row", share: 0.4, least: 2e-6, bend: 2e-6, lines: [
    { name: "slew_s", colour: DATA.colours.slew, label: "slewed" },
    { name: "adjust_s", colour: DATA.colours.adjust, label: "wall clock against MONOTONIC" }] },
  { title: "clock minus NTP time (+ is fast)", share: 0.6, least: 1e-5, bend: 1e-5, band: ["low_s", "high_s"], lines: [
    { name: "diff_s", colour: DATA.colours.diff, label: "difference, as the client reports it" },
    { name: "error_s", colour: DATA.colours.error, label: "error, reconstructed", dash: [5, 3] }] },
];
const LEFT = 92, RIGHT = 12, TOP = 8, BOTTOM = 30, BETWEEN = 26;

let whole = [Infinity, -Infinity];
for (const value of t) {
  if (value < whole[0]) whole[0] = value;
  if (value > whole[1]) whole[1] = value;
}
if (!(whole[1] > whole[0])) whole = [whole[0] - 1000, whole[0] + 1000];
let view = whole.slice();
let width = 0, height = 0, drag = null;

function seconds(value) {
  const size = Math.abs(value);
  const round = (x) => Number(x.toPrecision(4)).toString();
  if (size < 5e-13) return "0";
  if (size >= 86400) return round(value / 86400) + " d";
  if (size >= 3600) return round(value / 3600) + " h";
  if (size >= 1) return round(value) + " s";
  if (size >= 1e-3) return round(value * 1e3) + " ms";
  if (size >= 1e-6) return round(value * 1e6) + " µs";
  return round(value * 1e9) + " ns";
}

const iso = (ms, digits) => new Date(ms).toISOString().replace("T", " ").slice(0, digits);
const toX = (ms) => LEFT + (ms - view[0]) / (view[1] - view[0]) * (width - LEFT - RIGHT);
const toTime = (x) => view[0] + (x - LEFT) / (width - LEFT - RIGHT) * (view[1] - view[0]);

function extent(panel) {
  let low = -panel.least, high = panel.least;
  const names = panel.lines.map((line) => line.name).concat(panel.band || []);
  for (let k = 0; k < DATA.n; k++) {
    if (!(t[k] >= view[0] && t[k] <= view[1])) continue;
    for (const name of names) {
      const value = curves[name][k];
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

// Linear, or linear near 0 and logarithmic beyond, both signs alike.
function scaleOf(panel, box) {
  const [low, high] = extent(panel);
  const bend = logBox.checked ? (v) => Math.asinh(v / panel.bend) : (v) => v;
  const room = 0.07 * (bend(high) - bend(low));
  const bottom = bend(low) - room, top = bend(high) + room;
  return { low, high, toY: (v) => box.bottom - (bend(v) - bottom) / (top - bottom) * (box.bottom - box.top) };
}

function valueTicks(panel, low, high) {
  const ticks = [0];
  if (logBox.checked) {
    const all = [];
    for (let power = Math.ceil(Math.log10(panel.bend)); power <= 10; power++) all.push(10 ** power);
    for (const [sign, limit] of [[1, high], [-1, -low]]) {
      const fit = all.filter((v) => v <= limit * 1.5);
      const stride = Math.max(1, Math.ceil(fit.length / 4));
      for (let k = fit.length - 1; k >= 0; k -= stride) ticks.push(sign * fit[k]);
    }
    return ticks;
  }
  const rough = (high - low) / 6;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough);
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) if (Math.abs(v) > step / 2) ticks.push(v);
  return ticks;
}

const TIME_STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
  172800, 432000, 864000, 2592000, 7776000, 31536000].map((s) => s * 1000);

function drawTimeAxis(bottom) {
  const rough = (view[1] - view[0]) / Math.max(3, (width - LEFT) / 130);
  const step = TIME_STEPS.find((s) => s >= rough) || rough;
  const digits = step >= 86400000 ? 10 : step >= 60000 ? 16 : 19;
  pen.textAlign = "center";
  for (let ms = Math.ceil(view[0] / step) * step; ms <= view[1]; ms += step) {
    const x = toX(ms);
    pen.fillStyle = "#e4e4e4";
    pen.fillRect(x, TOP, 1, bottom - TOP);
    pen.fillStyle = "#333";
    const label = digits === 10 ? iso(ms, 10) : iso(ms, digits).slice(5);
    if (x > LEFT + 20 && x < width - 40) pen.fillText(label, x, bottom + 16);
  }
}

function drawSpans(box) {
  for (const [from, to, name] of DATA.spans) {
    if (to < view[0] || from > view[1]) continue;
    const a = Math.max(toX(from), LEFT), b = Math.min(toX(to), width - RIGHT);
    pen.globalAlpha = 0.28;
    pen.fillStyle = DATA.colours[name];
    pen.fillRect(a, box.top, Math.max(b - a, 1), box.bottom - box.top);
    pen.globalAlpha = 1;
  }
}

// Per pixel column the lowest and the highest value: no spike is lost at any zoom.
function drawLine(line, scale) {
  const values = curves[line.name];
  pen.strokeStyle = line.colour;
  pen.setLineDash(line.dash || []);
  pen.lineWidth = 1.2;
  pen.beginPath();
  let column = null, low = 0, high = 0, last = 0, up = true, points = 0, lonely = [];
  const flush = () => {
    if (column === null) return;
    if (up) { pen.moveTo(column, scale.toY(low)); if (points === 1) lonely.push([column, low]); }
    else pen.lineTo(column, scale.toY(low));
    if (high !== low) pen.lineTo(column, scale.toY(high));
    if (last !== high) pen.lineTo(column, scale.toY(last));
    up = false;
    column = null;
  };
  const margin = (view[1] - view[0]) * 0.02;
  for (let k = 0; k < DATA.n; k++) {
    const value = values[k];
    if (!(t[k] >= view[0] - margin && t[k] <= view[1] + margin) || value !== value || penUp[k]) {
      flush();
      up = true;
      if (value !== value || !(t[k] >= view[0] - margin && t[k] <= view[1] + margin)) continue;
    }
    const x = Math.round(toX(t[k]) * 2) / 2;
    if (x !== column) { flush(); column = x; low = high = value; points = 1; }
    low = Math.min(low, value);
    high = Math.max(high, value);
    last = value;
  }
  flush();
  pen.stroke();
  pen.setLineDash([]);
  pen.fillStyle = line.colour;
  for (const [x, value] of lonely) pen.fillRect(x - 1.5, scale.toY(value) - 1.5, 3, 3);
}

// One column of pixels at a time, so that nothing is painted twice.
function drawBand(panel, scale) {
  if (!panel.band) return;
  const [low, high] = panel.band.map((name) => curves[name]);
  const lows = new Float64Array(width + 1).fill(Infinity), highs = new Float64Array(width + 1).fill(-Infinity);
  for (let k = 0; k + 1 < DATA.n; k++) {
    if (!(t[k + 1] >= view[0] && t[k] <= view[1]) || low[k] !== low[k] || penUp[k + 1]) continue;
    const from = Math.max(Math.floor(toX(t[k])), LEFT), to = Math.min(Math.floor(toX(t[k + 1])), width - RIGHT);
    for (let x = from; x <= to; x++) {
      lows[x] = Math.min(lows[x], low[k]);
      highs[x] = Math.max(highs[x], high[k]);
    }
  }
  pen.fillStyle = DATA.colours.bound;
  pen.globalAlpha = 0.45;
  for (let x = LEFT; x <= width - RIGHT; x++) {
    if (lows[x] <= highs[x]) pen.fillRect(x, scale.toY(highs[x]), 1, scale.toY(lows[x]) - scale.toY(highs[x]));
  }
  pen.globalAlpha = 1;
}

function drawPanel(panel, box) {
  const scale = scaleOf(panel, box);
  pen.save();
  pen.textAlign = "right";
  for (const value of valueTicks(panel, scale.low, scale.high)) {
    const y = scale.toY(value);
    pen.fillStyle = value === 0 ? "#999" : "#e4e4e4";
    pen.fillRect(LEFT, y, width - LEFT - RIGHT, 1);
    pen.fillStyle = "#333";
    pen.fillText(seconds(value), LEFT - 6, y + 4);
  }
  pen.beginPath();
  pen.rect(LEFT, box.top, width - LEFT - RIGHT, box.bottom - box.top);
  pen.clip();
  drawSpans(box);
  drawBand(panel, scale);
  for (const event of DATA.events) {
    if (event.kind !== "step" && event.kind !== "gap") continue;
    pen.fillStyle = event.kind === "step" ? "#111" : "#888";
    pen.fillRect(toX(event.t), box.top, 1, box.bottom - box.top);
  }
  for (const line of panel.lines) drawLine(line, scale);
  pen.restore();
  pen.strokeStyle = "#333";
  pen.strokeRect(LEFT + 0.5, box.top + 0.5, width - LEFT - RIGHT, box.bottom - box.top);
  drawLegend(panel, box);
}

function drawLegend(panel, box) {
  let x = LEFT + 4;
  pen.textAlign = "left";
  pen.fillStyle = "#111";
  pen.fillText(panel.title + ":", x, box.top - 6);
  x += pen.measureText(panel.title + ":").width + 14;
  const parts = panel.lines.slice();
  if (panel.band) parts.push({ colour: DATA.colours.bound, label: "error bound" });
  for (const line of parts) {
    pen.fillStyle = line.colour;
    pen.fillRect(x, box.top - 13, 14, 5);
    pen.fillStyle = "#333";
    pen.fillText(line.label, x + 18, box.top - 6);
    x += 18 + pen.measureText(line.label).width + 16;
  }
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  width = canvas.clientWidth;
  height = 640;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  const room = height - TOP - BOTTOM - 2 * BETWEEN;
  drawTimeAxis(height - BOTTOM);
  let top = TOP;
  for (const panel of PANELS) {
    const box = { top: top + BETWEEN, bottom: top + BETWEEN + room * panel.share };
    drawPanel(panel, box);
    top = box.bottom;
  }
  if (drag && !drag.move) {
    pen.fillStyle = "rgba(30, 80, 160, 0.15)";
    pen.fillRect(Math.min(drag.x, drag.now), TOP, Math.abs(drag.now - drag.x), height - TOP - BOTTOM);
  }
}

function show(from, to) {
  const least = 2000, span = Math.max(to - from, least), middle = (from + to) / 2;
  view = span >= (whole[1] - whole[0]) * 1.1 ? whole.slice() : [middle - span / 2, middle + span / 2];
  draw();
}

function nearest(ms) {
  let best = -1, away = Infinity;
  for (let k = 0; k < DATA.n; k++) {
    const d = Math.abs(t[k] - ms);
    if (d < away) { away = d; best = k; }
  }
  return best;
}

function readout(x) {
  const k = nearest(toTime(x));
  if (k < 0) return;
  const parts = [iso(t[k], 23) + " UTC"];
  for (const panel of PANELS) {
    for (const line of panel.lines) {
      const value = curves[line.name][k];
      if (value === value) parts.push(line.label + " " + seconds(value));
    }
  }
  const state = DATA.spans.find(([from, to]) => t[k] >= from && t[k] <= to);
  parts.push(state ? state[2] : "synced");
  document.getElementById("readout").textContent = parts.join("; ");
}

const xOf = (event) => event.clientX - canvas.getBoundingClientRect().left;
canvas.addEventListener("mousedown", (e) => {
  drag = { x: xOf(e), now: xOf(e), move: e.shiftKey, view: view.slice() };
});
window.addEventListener("mousemove", (e) => {
  if (!drag) { if (e.target === canvas) readout(xOf(e)); return; }
  drag.now = xOf(e);
  if (drag.move) {
    const by = (drag.x - drag.now) / (width - LEFT - RIGHT) * (drag.view[1] - drag.view[0]);
    view = drag.view.map((ms) => ms + by);
  }
  draw();
});
window.addEventListener("mouseup", () => {
  if (!drag) return;
  const done = drag;
  drag = null;
  const [a, b] = [done.x, done.now].sort((p, q) => p - q);
  if (!done.move && b - a > 5) show(toTime(a), toTime(b)); else draw();
});
canvas.addEventListener("wheel", (e) => {
  e.preventDefault();
  const at = toTime(xOf(e)), factor = e.deltaY > 0 ? 1.25 : 0.8;
  show(at - (at - view[0]) * factor, at + (view[1] - at) * factor);
}, { passive: false });
canvas.addEventListener("dblclick", () => show(whole[0], whole[1]));
logBox.addEventListener("change", draw);
window.addEventListener("resize", draw);

function listEvents() {
  const place = document.getElementById("events");
  if (!DATA.events.length) { place.textContent = "None."; return; }
  const table = document.createElement("table");
  for (const event of DATA.events) {
    const row = table.insertRow();
    for (const text of [event.stamp, event.kind, event.text, event.place]) {
      row.insertCell().textContent = text;
    }
    row.style.cursor = "zoom-in";
    row.addEventListener("click", () => {
      show(event.t - 300000, event.t + 300000);
      canvas.scrollIntoView({ behavior: "smooth" });
    });
  }
  place.appendChild(table);
}

// A large difference between ordinary and largest values is unreadable on a linear scale.
function chooseScale() {
  const typical = (values) => {
    const sizes = Array.from(values).filter((v) => v === v).map(Math.abs).sort((p, q) => p - q);
    return sizes[Math.floor(sizes.length * 0.75)] || 0;
  };
  const usual = Math.max(typical(curves.diff_s), typical(curves.high_s), 1e-5);
  const [low, high] = extent(PANELS[1]);
  PANELS[1].bend = usual;
  logBox.checked = Math.max(-low, high) > 300 * usual;
}

chooseScale();
listEvents();
draw();
