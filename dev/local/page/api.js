// Asks the service as any caller would: conditionally, where the answer is known already.

export class Api {
  /** `observe` gets each answer: {line, status, cacheStatus, age, milliseconds}. */
  constructor(client, observe) {
    this.base = `/v2/oauth-clients/${encodeURIComponent(client)}`;
    this.observe = observe;
    this.known = new Map();
  }

  get(path, options) { return this.send("GET", path, options); }

  /** Return {status, body, headers}; status 0: there was no answer. `quiet`: not observed. */
  async send(method, path, { quiet = false } = {}) {
    const known = method === "GET" ? this.known.get(path) : undefined;
    // Without a directive of its own, a browser that is told not to use its cache would ask the
    // service not to use what it has stored either. This one asks for nothing that matters here.
    const headers = {
      "Cache-Control": "no-transform",
      ...(quiet && { "X-Poll": "true" }),
      ...(known && { "If-None-Match": known.etag }),
    };
    const began = performance.now();
    let response;
    try {
      response = await fetch(this.base + path, { method, headers, cache: "no-store" });
    } catch {
      return { status: 0, headers: new Headers(), body: null };
    }
    const body = response.status === 304 ? known.body : await response.json().catch(() => null);
    const etag = response.headers.get("ETag");
    if (response.status === 200 && method === "GET" && etag) this.known.set(path, { etag, body });
    if (!quiet) {
      this.observe({
        line: `${method} …${path}`,
        status: response.status,
        cacheStatus: response.headers.get("Cache-Status"),
        age: response.headers.get("Age"),
        milliseconds: performance.now() - began,
      });
    }
    return { status: response.status, headers: response.headers, body };
  }
}

/** Return the references of a Link header by relation. */
export function links(headers) {
  const found = {};
  for (const [, reference, relation] of (headers.get("Link") ?? "").matchAll(/<([^>]*)>; rel="(\w+)"/g)) {
    found[relation] = reference;
  }
  return found;
}

/** Return in one line what an error says. */
export function reason(answer) {
  if (answer.status === 0) return "The service cannot be reached.";
  return answer.body?.error?.message ?? `The service answered ${answer.status}.`;
}
