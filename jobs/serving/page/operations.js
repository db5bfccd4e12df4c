// Alerts, and how the whole is doing, with the switch of the breakers behind a confirmation.

import { ask } from "./client.js";
import { note, repeat } from "./repeat.js";
import { age, clock, compact, facts, make, put, table } from "./text.js";

export async function alerts(main, life) {
  const place = make("div", {});
  main.append(make("h1", {}, "Alerts"), place);
  repeat(place, life, async () => {
    const found = await ask("alerts?limit=200");
    const rows = found.alerts.map((each) => [
      clock(each.event_time), make("a", { href: `#/symbol/${encodeURIComponent(each.symbol)}` }, each.symbol), each.rule_id,
      `${each.measure.replaceAll("_", " ")} ${compact(each.value)}`, compact(each.threshold),
    ]);
    return [note(found), table("Newest first", ["Time", "Symbol", "Rule", "Measured", "Threshold"], rows), await rules()];
  });
}

async function rules() {
  const found = await ask("rules");
  const rows = found.rules.map((rule) => [rule.name, rule.measure, compact(rule.threshold), rule.symbols.join(", ") || "every symbol", rule.is_own ? "own" : "everybody's"]);
  return table("Rules in force", ["Name", "Measure", "Threshold", "Symbols", "Whose"], rows);
}

export async function operations(main, life) {
  const place = make("div", {});
  main.append(make("h1", {}, "Operations"), place, make("h2", {}, "Breakers"), breakers());
  let before = null;
  repeat(place, life, async () => {
    const [fresh, job, control] = await Promise.all([ask("freshness"), ask("operations"), ask("control")]);
    const moment = { at: performance.now(), records: fresh.records };
    const rate = before ? (fresh.records - before.records) / (moment.at - before.at) * 1000 : null;
    before = moment;
    return [note(fresh), freshness(fresh, rate), note(job), counters(job), halts(control), entries(control)];
  });
}

function freshness(found, rate) {
  const parts = Object.entries(found.parts).map(([name, part]) => [name.replaceAll("_", " "), part.status === "ok" ? "ok" : part.why]);
  return facts([["Newest signal", age(found.age_seconds)], ["Symbols", found.symbols], ["Records a second", rate === null ? "–" : rate.toFixed(0)],
    ["Unreadable records", found.malformed], ["Live clients", found.subscribers], ...parts]);
}

function counters(job) {
  const counted = Object.entries(job.counters ?? {}).map(([name, count]) => [name.replaceAll("_", " "), count]);
  return facts([["Job", job.state ?? "–"], ["Up for", age(job.uptime_seconds)], ...counted]);
}

function halts(control) {
  const named = Object.entries(control.symbols).map(([symbol, state]) => `${symbol} ${state}`).join(", ");
  return make("p", { id: "halts", class: control.everything === "active" && !named ? "" : "bad" }, `Everything: ${control.everything}${named ? `; but ${named}` : ""}`);
}

function entries(control) {
  const rows = control.entries.map((each) => [each.version, each.kind.replaceAll("_", " "), clock(each.event_time), each.author, each.reason, JSON.stringify(each.what)]);
  return table("Control log, newest first", ["Version", "Kind", "Time", "By", "Reason", "What"], rows);
}

function breakers() {
  const symbols = make("input", { name: "symbols", placeholder: "empty: everything", size: 24 });
  const reason = make("input", { name: "reason", required: true, minlength: 3, maxlength: 500, size: 32 });
  const told = make("p", { role: "status" });
  const form = make("form", { class: "line", onsubmit: (event) => event.preventDefault() }, make("label", {}, "Symbols", symbols), make("label", {}, "Reason", reason));
  const act = (verb) => {
    if (!form.reportValidity()) return;
    const wanted = symbols.value.split(/[\s,]+/).filter(Boolean);
    confirm(verb, wanted, reason.value, async () => {
      try {
        const found = await ask(verb, { method: "POST", body: { symbols: wanted, all: !wanted.length, reason: reason.value } });
        put(told, `${verb}: control version ${found.version}`);
      } catch (error) {
        put(told, `not done: ${error.message}`);
      }
    });
  };
  form.append(make("button", { type: "button", class: "risky", onclick: () => act("halt") }, "Halt"), make("button", { type: "button", onclick: () => act("resume") }, "Resume"));
  return make("section", { "aria-label": "Breakers" }, form, told);
}

function confirm(verb, symbols, reason, act) {
  const close = () => { dialog.close(); dialog.remove(); };
  const words = `${verb === "halt" ? "Stop" : "Let flow again"} the signals of ${symbols.length ? symbols.join(", ") : "EVERY symbol"}? Reason: ${reason}`;
  const dialog = make("dialog", { "aria-labelledby": "question" }, make("h2", { id: "question" }, `Confirm: ${verb}`), make("p", {}, words),
    make("form", { class: "line", method: "dialog" }, make("button", { type: "button", autofocus: true, onclick: close }, "Cancel"),
      make("button", { type: "button", id: "confirmed", class: verb === "halt" ? "risky" : "main", onclick: () => { close(); act(); } }, `Yes, ${verb}`)));
  dialog.addEventListener("cancel", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
