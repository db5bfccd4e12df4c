// Models: which are in force, which compete with them, whether their probabilities mean what they say, and what they look at.

import { ask } from "./client.js";
import { curve } from "./charts.js";
import { note, repeat } from "./repeat.js";
import { clock, compact, facts, make, percent, table } from "./text.js";

export async function models(main, life) {
  const releases = make("div", {});
  const stored = make("div", {});
  const drifting = make("p", { role: "status" }, "Being measured…");
  main.append(make("h1", {}, "Models"), releases, make("h2", {}, "Stored models"), stored, make("h2", {}, "Drift of the champion's inputs"), drifting);
  repeat(releases, life, async () => {
    const found = await ask("models");
    const rows = found.models.map((each) => [each.in_force ? "in force" : "", each.model_version, each.kind.replaceAll("_", " "), clock(each.event_time), each.author, each.reason, each.sha256.slice(0, 12)]);
    return [note(found), table("Releases, newest first", ["", "Version", "Kind", "Released", "By", "Reason", "Hash"], rows)];
  });
  const found = await ask("models/cards");
  if (life.aborted) return;
  stored.append(...[note(found)].filter(Boolean), ...found.cards.map((card, number) => section(card, number === 0, life)));
  if (!found.cards.length) stored.append(make("p", {}, "None; `infra/tickflow train` makes one."));
  const drift = await ask("models/drift").catch((error) => ({ status: "unknown", why: error.message, features: [] }));
  if (!life.aborted) drifting.replaceWith(drifted(drift));
}

function section(card, isOpen, life) {
  const names = card.aliases.length ? ` (${card.aliases.join(", ")})` : "";
  const chart = make("div", { class: "chart" });
  const made = make("details", { open: isOpen }, make("summary", {}, `${card.model_version}${names}`), verdict(card), chart, reliability(card), importance(card));
  const draw = () => {
    if (!made.open || chart.firstChild || life.aborted) return;
    const drawn = curve(chart, "Claimed and happened", card.reliability.map((group) => group.claimed), ["happened", card.reliability.map((group) => group.happened)]);
    life.addEventListener("abort", () => drawn.destroy());
  };
  made.addEventListener("toggle", draw);
  return made;
}

function drifted(found) {
  const rows = found.features.map((each) => [each.alarm ? "drifted" : "", each.feature.replaceAll("_", " "), `${compact(each.psi)} of ${compact(each.psi_threshold)}`, `${compact(each.distance)} of ${compact(each.distance_threshold)}`]);
  const words = found.status === "live" ? `${found.model}: ${found.drifted ? "some inputs have drifted beyond doubt" : "no input has drifted beyond doubt"}` : `Not measured: ${found.why}`;
  return make("div", {}, make("p", { class: found.drifted ? "bad" : "" }, words), rows.length ? table("Furthest first", ["", "Input", "PSI of its threshold", "Kolmogorov-Smirnov of its threshold"], rows) : "");
}

function verdict(card) {
  const against = card.objections.map((words) => make("li", {}, words));
  const gate = against.length ? make("div", {}, make("p", { class: "warn" }, "The release gate objects:"), make("ul", {}, ...against)) : make("p", { class: "good" }, "The release gate let it pass.");
  const numbers = facts([["Calibration", card.calibration_method], ["Calibration error", compact(card.calibration_error)], ["Log-loss", compact(card.log_loss)],
    ["Log-loss of the class shares", compact(card.class_shares_log_loss)], ["Outcomes within the middle 90 %", percent(card.coverage_90)]]);
  return make("div", {}, gate, numbers);
}

function reliability(card) {
  return table("Tenths of the test rows", ["Claimed", "Happened", "Rows"], card.reliability.map((group) => [group.claimed.toFixed(3), group.happened.toFixed(3), group.rows]));
}

function importance(card) {
  return table("What it looks at", ["Input", "Share of the gain"], Object.entries(card.importance).map(([name, share]) => [name.replaceAll("_", " "), percent(share)]));
}
