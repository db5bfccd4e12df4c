// Talking to the API: the key stays in this tab, and leaves it in a header only.

const KEY = "tickflow-key";
const LONGEST_PAUSE = 10_000;

export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `status ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
  }
}

export function takeKeyFromAddress() {
  if (location.hash.startsWith("#tf_")) {
    sessionStorage.setItem(KEY, location.hash.slice(1));
    history.replaceState(null, "", `${location.pathname}#/watchlist`);
  }
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

export function setKey(key) {
  sessionStorage.setItem(KEY, key.trim());
}

export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

function headers() {
  return { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
}

export async function ask(path, { method = "GET", body, signal } = {}) {
  const own = body === undefined ? headers() : { ...headers(), "Content-Type": "application/json" };
  const response = await fetch(`v1/${path}`, { method, signal, headers: own, body: body === undefined ? undefined : JSON.stringify(body) });
  if (response.status === 204) return null;
  const found = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, found.error);
  return found;
}

// Calls `take` with every update until `signal` aborts; `tell` hears how the connection is.
export async function follow(symbols, take, tell, signal) {
  let pause = 500;
  while (!signal.aborted) {
    try {
      const path = `v1/stream?symbols=${encodeURIComponent(symbols.join(","))}`;
      const response = await fetch(path, { headers: headers(), signal });
      if (!response.ok) throw new Refused(response.status, (await response.json()).error);
      tell(true);
      pause = 500;
      await read(response.body.getReader(), take);
    } catch (error) {
      if (signal.aborted) return;
      tell(false, error.message);
    }
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

async function read(reader, take) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) take(JSON.parse(data.slice(6)));
    }
  }
}
