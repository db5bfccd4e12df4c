// The live watchlist. Rows are made once; an update changes only the cells that differ, once a frame.

import { ask, follow } from "./client.js";
import { sparkline } from "./charts.js";
import { age, colour, direction, make, number, percent, put, say } from "./text.js";

const MOST = 200;
const PRICES = 60;
const COLUMNS = ["Symbol", "Price", "Trend", "Signal", "Confidence", "ŷ bp", "σ bp", "Reasons", "Age"];

export async function show(main, life) {
  const lists = (await ask("watchlists")).watchlists;
  const all = (await ask("symbols")).symbols.slice(0, MOST);
  const asked = new URLSearchParams(location.hash.split("?")[1] ?? "").get("list") ?? "";
  const chosen = lists.find((list) => list.name === asked);
  main.append(make("h1", {}, "Watchlist"), chooser(lists, chosen), editor(chosen));
  const symbols = chosen ? chosen.symbols : all;
  if (!symbols.length) {
    main.append(make("p", {}, "No symbol has a signal yet. Is the job running?"));
    return;
  }
  const rows = new Map(symbols.map((symbol) => [symbol, row(symbol)]));
  const head = make("tr", {}, ...COLUMNS.map((name) => make("th", { scope: "col" }, name)));
  const body = make("tbody", {}, ...[...rows.values()].map((each) => each.element));
  main.append(make("table", { class: "live" }, make("caption", {}, `${symbols.length} symbols, newest signal of each`), make("thead", {}, head), body));
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => { rows.get(entry.target.dataset.symbol).visible = entry.isIntersecting; }));
  rows.forEach((each) => seen.observe(each.element));
  life.addEventListener("abort", () => { seen.disconnect(); rows.forEach((each) => each.chart?.destroy()); });
  live(symbols, rows, life);
}

function live(symbols, rows, life) {
  const state = document.getElementById("state");
  const waiting = new Map();
  const draw = () => {
    for (const [symbol, answer] of waiting) update(rows.get(symbol), answer);
    waiting.clear();
  };
  const take = (message) => {
    if (!waiting.size && message.signals.length) requestAnimationFrame(draw);
    for (const answer of message.signals) waiting.set(answer.symbol, answer);
    for (const alert of message.alerts) say(`Alert: ${alert.symbol}, ${alert.rule_id}`);
  };
  const tell = (connected, why) => {
    state.className = connected ? "" : "bad";
    put(state, connected ? "live" : `not connected, values are old: ${why}`);
  };
  follow(symbols, take, tell, life);
  const timer = setInterval(() => rows.forEach(grow), 1000);
  life.addEventListener("abort", () => clearInterval(timer));
}

function row(symbol) {
  const cell = (name, kind = "") => make("td", { class: kind, "data-name": name });
  const cells = {
    price: cell("Price", "number"), trend: cell("", "spark"), signal: cell("Signal"), confidence: cell("Confidence", "number"),
    expected: cell("ŷ bp", "number"), sigma: cell("σ bp", "number"), reasons: cell("", "reasons soft"), age: cell("Age", "number"),
  };
  const link = make("a", { href: `#/symbol/${encodeURIComponent(symbol)}` }, symbol);
  cells.trend.setAttribute("aria-hidden", "true");
  const element = make("tr", { "data-symbol": symbol }, make("th", { scope: "row" }, link), ...Object.values(cells));
  return { element, cells, prices: [], visible: true, chart: null, drawnAt: 0, answer: null, at: 0 };
}

function update(each, answer) {
  each.answer = answer;
  each.at = performance.now();
  const { cells } = each;
  const signal = answer.signal;
  if (!signal) {
    put(cells.signal, answer.status);
    cells.signal.title = answer.why;
    return;
  }
  put(cells.price, number(signal.price));
  put(cells.signal, direction(signal));
  cells.signal.className = colour(signal);
  put(cells.confidence, percent(signal.confidence));
  put(cells.expected, number(signal.expected_return, 2, 1e4));
  put(cells.sigma, number(signal.sigma, 2, 1e4));
  put(cells.reasons, signal.reasons.map((reason) => reason.words).join("; "));
  grow(each);
  if (signal.price !== null) each.prices.push(signal.price);
  if (each.prices.length > PRICES) each.prices.shift();
  if (each.visible && each.at - each.drawnAt > 1000) {
    each.chart ??= sparkline(cells.trend);
    each.chart.setData([each.prices.map((_, place) => place), each.prices]);
    each.drawnAt = each.at;
  }
}

function grow(each) {
  if (!each.answer || each.answer.age_seconds === null) return;
  const old = each.answer.status !== "live";
  put(each.cells.age, age(each.answer.age_seconds + (performance.now() - each.at) / 1000) + (old ? " old" : ""));
  each.cells.age.className = old ? "number old" : "number";
  each.cells.age.title = each.answer.why;
}

function chooser(lists, chosen) {
  const go = (event) => { location.hash = event.target.value ? `#/watchlist?list=${event.target.value}` : "#/watchlist"; };
  const options = lists.map((list) => make("option", { value: list.name, selected: list === chosen }, list.name));
  const choice = make("select", { onchange: go }, make("option", { value: "" }, "every symbol"), ...options);
  return make("form", { class: "line", onsubmit: (event) => event.preventDefault() }, make("label", {}, "Show", choice));
}

function editor(chosen) {
  const name = make("input", { name: "name", required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", value: chosen?.name ?? "" });
  const symbols = make("input", { name: "symbols", required: true, size: 40, value: chosen?.symbols.join(", ") ?? "" });
  const told = make("span", { role: "status" });
  const act = async (work) => {
    try {
      await work();
    } catch (error) {
      put(told, error.message);
    }
  };
  const save = (event) => {
    event.preventDefault();
    const wanted = symbols.value.split(/[\s,]+/).filter(Boolean);
    act(async () => { await ask(`watchlists/${name.value}`, { method: "PUT", body: { symbols: wanted } }); again(name.value); });
  };
  const remove = () => act(async () => { await ask(`watchlists/${name.value}`, { method: "DELETE" }); again(""); });
  const buttons = [make("button", { type: "submit" }, "Save"), chosen ? make("button", { type: "button", onclick: remove }, "Delete") : null];
  const form = make("form", { class: "line", onsubmit: save }, make("label", {}, "Name", name), make("label", {}, "Symbols", symbols), ...buttons.filter(Boolean), told);
  return make("details", {}, make("summary", {}, chosen ? "Change this watchlist" : "New watchlist"), form);
}

function again(name) {
  const wanted = name ? `#/watchlist?list=${name}` : "#/watchlist";
  if (location.hash === wanted) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = wanted;
}
