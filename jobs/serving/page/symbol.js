// One symbol: candles with signals and what became of them, the book through time, features, and why.

import { ask, follow } from "./client.js";
import { candles, lines } from "./charts.js";
import { age, clock, colour, compact, direction, facts, make, number, percent, put, seconds, table } from "./text.js";
import { explain } from "./why.js";

const SHOWN_SIGNALS = 20;

export async function show(main, life, symbol) {
  const name = encodeURIComponent(symbol);
  const now = make("div", {});
  const chart = make("div", { class: "chart" });
  const book = make("div", { class: "chart" });
  const listed = make("div", {});
  const news = make("div", {});
  const values = make("div", {});
  const why = make("section", { "aria-label": "Why", tabindex: "-1" });
  main.append(make("h1", {}, symbol), now, chart, legend(), why, make("h2", {}, "Stored signals"), listed, make("h2", {}, "Order book"), book, make("h2", {}, "News"), news, make("h2", {}, "Features"), values);
  showNews(news, name);
  follow([symbol], (message) => message.signals.forEach((answer) => newest(now, answer)), tell, life);
  const [bars, signals, rows] = await Promise.all([
    ask(`symbols/${name}/bars?length_seconds=60&limit=240`), ask(`symbols/${name}/signals?limit=1000`), ask(`symbols/${name}/features?limit=200`),
  ]);
  if (life.aborted) return;
  drawPrices(chart, bars.rows, signals.rows, life);
  listed.append(signalTable(signals.rows, why));
  drawBook(book, rows.rows, life);
  const found = await ask(`features/${name}`).catch((error) => ({ features: null, why: error.message }));
  values.append(found.features ? featureTable(found.features.values) : make("p", {}, found.why));
}

function tell(connected, why) {
  const state = document.getElementById("state");
  state.className = connected ? "" : "bad";
  put(state, connected ? "live" : `not connected: ${why}`);
}

function newest(element, answer) {
  const signal = answer.signal;
  if (!signal) {
    element.replaceChildren(make("p", {}, `${answer.status}: ${answer.why}`));
    return;
  }
  const pairs = [
    ["Price", number(signal.price)], ["Signal", direction(signal)], ["Confidence", percent(signal.confidence)],
    ["Expected, bp", number(signal.expected_return, 2, 1e4)], ["σ, bp", number(signal.sigma, 2, 1e4)], ["Age", `${age(answer.age_seconds)} ${answer.why}`],
    ["Model", signal.model_version || "none"], ["Reasons", signal.reasons.map((reason) => reason.words).join("; ") || "–"],
  ];
  element.replaceChildren(facts(pairs));
}

function legend() {
  return make("p", { class: "soft" }, "Triangles: where the direction of the stored signals changed. Filled: it came true or its time is not over; hollow: it did not.");
}

function drawPrices(element, bars, signals, life) {
  if (!bars.length) {
    element.append(make("p", {}, "No bars are stored yet; they appear with the job's checkpoints."));
    return;
  }
  const oldestFirst = bars.map((bar) => ({ ...bar, time: seconds(bar.start_time) })).reverse();
  const chart = candles(element, "Minutes, with signals and outcome", oldestFirst, marks(signals, oldestFirst));
  life.addEventListener("abort", () => chart.destroy());
}

function marks(signals, bars) {
  const found = [];
  let last = "";
  for (const signal of [...signals].reverse()) {
    if (signal.status !== "ok" || signal.price === null) continue;
    if (signal.direction !== last && signal.direction !== "neutral") {
      const time = seconds(signal.event_time);
      found.push({ time, price: signal.price, up: signal.direction === "up", right: outcome(signal, time + signal.horizon_seconds, bars) });
    }
    last = signal.direction;
  }
  return found;
}

function outcome(signal, due, bars) {
  const after = bars.find((bar) => bar.time + bar.length_seconds >= due);
  return after ? (after.close > signal.price) === (signal.direction === "up") : null;
}

function signalTable(signals, why) {
  const rows = signals.slice(0, SHOWN_SIGNALS).map((signal) => [
    clock(signal.event_time), number(signal.price), make("span", { class: colour(signal) }, direction(signal)), percent(signal.confidence),
    make("button", { type: "button", "aria-label": `Why: signal of ${clock(signal.event_time)}`, onclick: () => explain(why, signal.signal_id) }, "Why?"),
  ]);
  return table(`The last ${rows.length}`, ["Time", "Price", "Signal", "Confidence", "Why"], rows);
}

function drawBook(element, rows, life) {
  const times = rows.map((row) => seconds(row.event_time)).reverse();
  if (!times.length) {
    element.append(make("p", {}, "No feature rows are stored yet."));
    return;
  }
  const column = (name) => rows.map((row) => row.values[name] ?? null).reverse();
  const charts = [
    lines(element, "Imbalance of the book, −1 to 1", times, [["5 levels", column("imbalance_5_levels")], ["10 levels", column("imbalance_10_levels")]]),
    lines(element, "Spread, basis points", times, [["spread", column("spread_basis_points")]]),
  ];
  life.addEventListener("abort", () => charts.forEach((chart) => chart.destroy()));
}

async function showNews(element, name) {
  const found = await ask(`symbols/${name}/news?limit=20`).catch((error) => ({ news: [], why: error.message }));
  const rows = found.news.map((item) => [clock(item.event_time), item.headline, item.source]);
  element.replaceChildren(...(found.why ? [make("p", { class: "warn" }, found.why)] : []), table("Newest first", ["Time", "Headline", "Source"], rows));
}

function featureTable(values) {
  const rows = Object.entries(values).map(([name, value]) => [name.replaceAll("_", " "), compact(value)]);
  return make("details", {}, make("summary", {}, `${rows.length} features; "Why?" shows them against their usual range`), table("Newest values", ["Feature", "Value"], rows));
}
