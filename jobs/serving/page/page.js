// Which view is shown. A view gets a signal that aborts when it is left, and ends everything that it began.

import { forgetKey, hasKey, setKey, takeKeyFromAddress } from "./client.js";
import { models } from "./models.js";
import { alerts, operations } from "./operations.js";
import { show as paper } from "./paper.js";
import { show as symbol } from "./symbol.js";
import { make, put } from "./text.js";
import { show as watchlist } from "./watchlist.js";

const VIEWS = { watchlist, alerts, models, paper, operations, symbol };
const THEME = "tickflow-theme";
let life = new AbortController();

async function route() {
  life.abort();
  life = new AbortController();
  const own = life.signal;
  const main = document.getElementById("main");
  const [name, rest = ""] = location.hash.replace(/^#\//, "").split("?")[0].split("/");
  const view = VIEWS[name] ? name : "watchlist";
  mark(view);
  put(document.getElementById("state"), "");
  main.replaceChildren();
  document.title = `${view === "symbol" ? decodeURIComponent(rest) : view} – Tickflow`;
  if (!hasKey()) return enter(main, "");
  const place = make("div", {});
  main.append(place);
  try {
    await VIEWS[view](place, own, decodeURIComponent(rest));
  } catch (error) {
    if (own.aborted) return;
    if (error.status === 401) {
      forgetKey();
      enter(main, "This key opens nothing.");
    } else {
      place.append(make("p", { class: "bad", role: "alert" }, error.message));
    }
  }
}

function mark(view) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash.startsWith(`#/${view}`)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function enter(main, words) {
  const key = make("input", { type: "password", autocomplete: "off", required: true, size: 40 });
  const submit = (event) => {
    event.preventDefault();
    setKey(key.value);
    route();
  };
  const form = make("form", { class: "line", onsubmit: submit }, make("label", {}, "Key", key), make("button", { class: "main" }, "Open"));
  main.replaceChildren(make("h1", {}, "Tickflow"), make("p", { role: "alert" }, words), make("p", {}, "Enter a key of `infra/tickflow keys add`. It stays in this tab."), form);
  put(document.getElementById("state"), "no key");
}

function theme() {
  const button = document.getElementById("theme");
  const set = (dark) => {
    document.documentElement.classList.toggle("dark", dark);
    put(button, dark ? "Light" : "Dark");
    button.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  };
  const stored = localStorage.getItem(THEME);
  set(stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  button.addEventListener("click", () => {
    const dark = !document.documentElement.classList.contains("dark");
    localStorage.setItem(THEME, dark ? "dark" : "light");
    set(dark);
    route();
  });
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
takeKeyFromAddress();
theme();
addEventListener("hashchange", () => {
  takeKeyFromAddress();
  route();
});
route();
