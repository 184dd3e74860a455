// Asks the service as any caller would: conditionally, where the answer is known already.

import { capital } from "./words.js";

export class Api {
  /** `observe` gets each answer: {line, status, cacheStatus, age, milliseconds}. */
  constructor(client, observe) {
    this.client = client;
    this.base = `/v2/oauth-clients/${encodeURIComponent(client)}`;
    this.observe = observe;
    this.known = new Map();
  }

  get(path, options) { return this.send("GET", path, options); }

  /** Return {status, body, headers}; status 0: there was no answer. `quiet`: neither shown nor kept. */
  async send(method, path, { quiet = false } = {}) {
    const kept = method === "GET" && !quiet;
    const known = kept ? this.known.get(path) : undefined;
    // Without a directive of its own, a browser that is told not to use its cache would ask the
    // service not to use what it has stored either. This one asks for nothing that matters here.
    const headers = {
      "Cache-Control": "no-transform",
      ...(quiet && { "X-Poll": "true" }),
      ...(known && { "If-None-Match": known.etag }),
    };
    const began = performance.now();
    const answer = await ask(this.base + path, { method, headers });
    if (answer.status === 0) return answer;
    const body = answer.status === 304 ? known.body : answer.body;
    const etag = answer.headers.get("ETag");
    if (answer.status === 200 && kept && etag) this.known.set(path, { etag, body });
    if (!quiet) {
      this.observe({
        line: `${method} …${path}`,
        status: answer.status,
        cacheStatus: answer.headers.get("Cache-Status"),
        age: answer.headers.get("Age"),
        milliseconds: performance.now() - began,
      });
    }
    return { ...answer, body };
  }
}

/** Return {status, body, headers} of whatever this server has; status 0: there was no answer. */
export async function ask(path, options = {}) {
  try {
    const response = await fetch(path, { cache: "no-store", ...options });
    const body = await response.json().catch(() => null);
    return { status: response.status, headers: response.headers, body };
  } catch {
    return { status: 0, headers: new Headers(), body: null };
  }
}

/** Return the reference of a Link header that has this relation, null if none has. */
export function linked(headers, relation) {
  const links = (headers.get("Link") ?? "").matchAll(/<([^>]*)>; rel="(\w+)"/g);
  return [...links].find(([, , found]) => found === relation)?.[1] ?? null;
}

/** Return in a sentence what an error says. */
export function reason(answer) {
  if (answer.status === 0) return "The service cannot be reached.";
  const said = answer.body?.error?.message ?? `The service answered ${answer.status}`;
  return `${capital(said)}${/[.!?]$/.test(said) ? "" : "."}`;
}
