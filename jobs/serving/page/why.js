// Why a stored signal is what it is: where it came from, made again, and what would have changed it.

import { ask } from "./client.js";
import { compact, facts, make, table } from "./text.js";

export async function explain(element, signalId) {
  element.replaceChildren(make("h2", {}, "Why"), make("p", { role: "status" }, "Making the signal again from its stored frames …"));
  element.focus();
  try {
    const found = await ask(`why/${encodeURIComponent(signalId)}`);
    element.replaceChildren(make("h2", {}, "Why"), ...parts(found));
  } catch (error) {
    element.replaceChildren(make("h2", {}, "Why"), make("p", { class: "bad", role: "alert" }, error.message));
  }
}

function parts(found) {
  const { source, outcome } = found;
  const verdict = found.identical ? "the same bits" : `NOT the same: ${found.differences.map((each) => each.field).join(", ")}`;
  return [
    make("p", { class: found.identical ? "good" : "bad" }, `Made again from ${found.frames_processed} frames: ${verdict}.`),
    facts([
      ["Signal", `${found.signal.direction}, ${found.signal.status} (${found.signal.code})`],
      ["Frame", `${source.topic}/${source.kafka_partition}/${source.kafka_offset}, event ${source.event_index}`],
      ["Model", found.model ? found.model.version : "none"],
      ["What happened", outcome ? `log return ${compact(outcome.log_return)}` : "not stored yet"],
    ]),
    table("Reasons", ["Reason", "Contribution"], found.reasons.map((reason) => [reason.words, compact(reason.contribution)])),
    table("Nearest change of one input that turns the direction", ["Input", "Was", "Would need", "Then"],
      found.would_flip.slice(0, 10).map((flip) => [flip.feature.replaceAll("_", " "), compact(flip.value), compact(flip.would_need), flip.direction])),
    make("details", {}, make("summary", {}, "Features against their usual range"),
      table("Values at that moment", ["Feature", "Value", "Usual", ""], found.features.map(feature))),
  ];
}

function feature({ feature: name, value, usual }) {
  const words = usual ? `${compact(usual[0])} to ${compact(usual[1])}` : "not an input";
  return [name.replaceAll("_", " "), compact(value), words, usual && value !== null ? range(value, usual) : ""];
}

function range(value, [low, high]) {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  const mark = make("i");
  mark.style.left = `calc(${100 * Math.min(1, Math.max(0, share))}% - 2px)`;
  const place = share < 0 ? "below" : share > 1 ? "above" : "inside";
  return make("span", { class: "range", role: "img", "aria-label": `${place} its usual range` }, mark);
}
