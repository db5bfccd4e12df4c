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
      ["Manifest", `${found.manifest.manifest_id} (${found.manifest.runs.map((run) => run.verb).join(", ") || "no run noted"})`],
      ["Risk gate", found.risk.map((step) => `${step.verdict} (${step.why})`).join(", ") || "never an order on paper"],
      ["What happened", outcome ? `log return ${compact(outcome.log_return)}` : "not stored yet"],
    ]),
    table("Reasons", ["Reason", "Contribution"], found.reasons.map((reason) => [reason.words, compact(reason.contribution)])),
    table("Nearest change of one input that turns the direction", ["Input", "Was", "Would need", "Then"],
      found.would_flip.slice(0, 10).map((flip) => [flip.feature.replaceAll("_", " "), compact(flip.value), compact(flip.would_need), flip.direction])),
    table("The decision without one event", ["Without", "Then", "Status", "Confidence"], found.without.map(leftOut)),
    make("details", {}, make("summary", {}, "Frames, book and windows at that moment"),
      table("The last frames", ["Offset", "Bytes", "Hash"], source.frames.map((frame) => [frame.kafka_offset, frame.bytes, frame.frame_hash.slice(0, 16)])),
      table("Order book", ["Bid size", "Bid", "Ask", "Ask size"], (found.moment.book.levels.length ? found.moment.book.levels : [found.moment.book.top])
        .map((level) => [level.bid_size, level.bid, level.ask, level.ask_size].map((value) => value ?? "–"))),
      table("The newest seconds", ["Second", "Close", "Volume", "Bought less sold", "Order flow"], found.moment.windows.seconds
        .map((tile) => [new Date(1000 * tile.second).toISOString().slice(11, 19), ...[tile.close, tile.volume, tile.signed_volume, tile.order_flow].map(compact)])),
      table("Open bars", ["Seconds", "Open", "High", "Low", "Close", "Volume"], found.moment.windows.open_bars
        .map((bar) => [bar.length_seconds, ...[bar.open, bar.high, bar.low, bar.close, bar.volume].map(compact)]))),
    make("details", {}, make("summary", {}, "Features against their usual range"),
      table("Values at that moment", ["Feature", "Value", "Usual", ""], found.features.map(feature))),
  ];
}

function leftOut(each) {
  const what = each.without === "news" ? `news: ${each.text.slice(0, 80)}` : `trade of ${each.size} at ${each.price}`;
  return each.row ? [what, each.direction, `${each.status} (${each.code})`, compact(each.confidence)] : [what, "no row", "", ""];
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
