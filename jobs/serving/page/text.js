// Elements and words. Everything that comes from outside becomes text, never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function number(value, digits = 4, factor = 1) {
  return value === null || value === undefined ? "–" : (value * factor).toFixed(digits);
}

export function compact(value) {
  return value === null || value === undefined ? "–" : Number(value.toPrecision(5)).toString();
}

export function percent(value) {
  return value === null || value === undefined ? "–" : `${Math.round(value * 100)} %`;
}

export function age(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function clock(time) {
  return time ? `${time.slice(0, 10)} ${time.slice(11, 19)}` : "–";
}

export function seconds(time) {
  return Date.parse(time.slice(0, 23) + "Z") / 1000;
}

export function direction(signal) {
  const words = { up: "▲ up", down: "▼ down", neutral: "• neutral" };
  if (signal.status === "ok") return words[signal.direction];
  if (signal.status === "reducing") return `${words[signal.direction]} (reducing)`;
  return `${signal.status}: ${signal.code.replaceAll("_", " ")}`;
}

export function colour(signal) {
  return signal.status === "ok" ? signal.direction : "soft";
}

export function table(caption, columns, rows) {
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell instanceof Node ? cell : String(cell)))));
  const empty = make("tr", {}, make("td", { colspan: columns.length }, "nothing yet"));
  const made = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...(body.length ? body : [empty])));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, made);
}

export function facts(pairs) {
  return make("dl", { class: "facts" }, ...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
}

export function say(words) {
  put(document.getElementById("said"), words);
}
