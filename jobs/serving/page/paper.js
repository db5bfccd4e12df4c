// Paper trading: what is held, what it is worth, how far it fell, and what the risk gate refused.

import { ask } from "./client.js";
import { lines } from "./charts.js";
import { note, repeat } from "./repeat.js";
import { clock, compact, facts, make, number, seconds, table } from "./text.js";

export async function show(main, life) {
  const now = make("div", {});
  const chart = make("div", { class: "chart" });
  const past = make("div", {});
  main.append(make("h1", {}, "Paper trading"), now, chart, past);
  let drawn = null;
  life.addEventListener("abort", () => drawn?.destroy());
  repeat(now, life, async () => {
    const found = await ask("paper");
    drawn = life.aborted ? null : draw(chart, drawn, found.marks);
    past.replaceChildren(fills(found), denials(found));
    return [note(found), worth(found), positions(found)];
  });
}

function worth(found) {
  const pairs = ["equity", "profit", "drawdown", "cash", "realised", "fees", "paid_in"].map((name) => [name.replaceAll("_", " "), number(found[name], 2)]);
  const limit = found.loss_limit ? make("p", { class: "bad" }, `Loss limit reached: ${found.loss_limit.replaceAll("_", " ")}; positions are only closed.`) : "";
  return make("div", {}, limit, facts(pairs));
}

function positions(found) {
  const rows = found.positions.map((each) => [make("a", { href: `#/symbol/${encodeURIComponent(each.symbol)}` }, each.symbol), compact(each.quantity), number(each.cost, 2), number(each.worth, 2), number(each.unrealised, 2), number(each.realised, 2), number(each.fees, 2)]);
  return table("Positions", ["Symbol", "Quantity", "Cost", "Worth", "Unrealised", "Realised", "Fees"], rows);
}

function fills(found) {
  return table("Fills, newest first", ["Time", "Symbol", "Quantity", "Price", "Fee"], found.fills.map((each) => [clock(each.event_time), each.symbol, compact(each.quantity), number(each.price), number(each.fee, 2)]));
}

function denials(found) {
  const counts = Object.entries(found.denied).map(([why, count]) => `${why.replaceAll("_", " ")} ${count}`).join(", ");
  return table(`Orders that the risk gate refused${counts ? `: ${counts}` : ""}`, ["Time", "Symbol", "Why"], found.denials.map((each) => [clock(each.time), each.symbol, each.why]));
}

function draw(element, before, marks) {
  if (marks.length < 2) return before;
  const times = marks.map((mark) => seconds(mark.event_time));
  const equity = marks.map((mark) => mark.equity);
  const highest = [];
  equity.forEach((value, place) => highest.push(Math.max(value, highest[place - 1] ?? value)));
  if (before) {
    before.setData([times, equity, highest]);
    return before;
  }
  return lines(element, "Worth, and its highest so far", times, [["worth", equity], ["highest", highest]]);
}
