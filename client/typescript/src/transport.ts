/**
 * Sends requests: conditional where an answer is known, again where that helps.
 *
 * What is sent again: an error with `Retry-After`, after so long; a request that got no answer, twice
 * at most and after a short pause. Nothing is sent again once `patienceSeconds` would have passed.
 */

import { AnswerError, ConnectionFailedError, errorOf, type ManagedUsersError } from "./errors.js";

const RETRIES_WITHOUT_ANSWER = 2;
const FIRST_PAUSE_SECONDS = 0.5;
const REMEMBERED_ANSWERS = 128;
// A cursor is good for an hour after it was handed out: half of that is left to whoever walks on.
const LINK_SECONDS = 1800;

/** How requests are sent. */
export interface TransportOptions {
  /** What sends a request: the global `fetch`, unless it has to be signed. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Where answers are remembered, for conditional requests: the last 128 in memory. */
  readonly cache?: AnswerCache;
  /** How long a request is sent again at most. Default: 60. */
  readonly patienceSeconds?: number;
  /** How long one attempt may take. Default: 35, which is longer than API Gateway waits. */
  readonly timeoutSeconds?: number;
}

/** Remembers answers by URL: a `Map` will do. They and their URLs hold personal data. */
export interface AnswerCache {
  get(url: string): StoredAnswer | undefined | Promise<StoredAnswer | undefined>;
  set(url: string, answer: StoredAnswer): unknown;
}

/** An answer to remember; it is the same after `JSON.stringify` and `JSON.parse`. */
export interface StoredAnswer {
  readonly etag: string;
  readonly body: string;
  readonly link: string | null;
  /** When `link` was given, in epoch milliseconds. */
  readonly linkedAt: number;
}

/** Options of one request. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** Options of one request that reads. */
export interface ReadOptions extends RequestOptions {
  /** How old the answer may be: `no-cache` asks the origin, `max-age=60` takes nothing older. */
  readonly cacheControl?: string;
}

/** An answer that is no error. */
export interface Answer<Body> {
  readonly body: Body;
  readonly headers: Headers;
  readonly link: string | null;
}

/** One request: what makes it beside its URL. */
export interface Question extends ReadOptions {
  readonly method: "GET" | "POST";
  readonly body?: string;
}

export class Transport {
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #cache: AnswerCache;
  readonly #patience: number;
  readonly #timeout: number;

  constructor(options: TransportOptions) {
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#cache = options.cache ?? new RecentAnswers();
    this.#patience = 1000 * (options.patienceSeconds ?? 60);
    this.#timeout = 1000 * (options.timeoutSeconds ?? 35);
  }

  async send<Body>(url: string, question: Question): Promise<Answer<Body>> {
    const deadline = performance.now() + this.#patience;
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#attempt<Body>(url, question);
      if (!(result instanceof Error)) return result;
      const pause = pauseAfter(result, attempt);
      if (pause === null || performance.now() + pause >= deadline) throw result;
      await sleep(pause, question.signal);
    }
  }

  async #attempt<Body>(url: string, question: Question): Promise<Answer<Body> | ManagedUsersError> {
    const { method, body, cacheControl, signal } = question;
    const stored = method === "GET" ? await this.#stored(url) : undefined;
    const timeout = AbortSignal.timeout(this.#timeout);
    let response: Response;
    let text: string;
    try {
      response = await this.#fetch(url, {
        method,
        headers: {
          Accept: "application/json",
          // Beside If-None-Match, `fetch` asks for `no-cache` unless something else is asked for.
          "Cache-Control": cacheControl ?? "no-transform",
          ...(body !== undefined && { "Content-Type": "application/json" }),
          ...(stored && { "If-None-Match": stored.etag }),
        },
        redirect: "manual",
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        ...(body !== undefined && { body }),
      });
      text = await response.text();
    } catch (cause) {
      signal?.throwIfAborted();
      return new ConnectionFailedError(`no answer from the service: ${nameOf(cause)}`, { cause });
    }

    const { status, headers } = response;
    const known = status === 304 ? stored : undefined;
    if (!known && !response.ok) return errorOf(status, headers, parsed(text));
    const answer = parsed(known?.body ?? text);
    if (!isAnswer(answer)) {
      // A proxy on the way, or another service altogether.
      return new AnswerError(status, headers, {
        message: "the answer is not one of this service",
      });
    }
    const link = headers.get("Link");
    const etag = headers.get("ETag");
    if (method === "GET" && etag !== null && (link !== null || !known)) {
      const remembered = { etag, body: known?.body ?? text, link, linkedAt: Date.now() };
      await this.#cache.set(url, remembered);
    }
    // A 304 may lack what still holds.
    return { body: answer as Body, headers, link: link ?? known?.link ?? null };
  }

  async #stored(url: string): Promise<StoredAnswer | undefined> {
    const stored = await this.#cache.get(url);
    const outlived = stored?.link && Date.now() - stored.linkedAt > 1000 * LINK_SECONDS;
    return outlived ? undefined : stored;
  }
}

/** The answers that were asked for last. */
class RecentAnswers implements AnswerCache {
  readonly #answers = new Map<string, StoredAnswer>();

  get(url: string): StoredAnswer | undefined {
    const answer = this.#answers.get(url);
    if (answer) this.set(url, answer);
    return answer;
  }

  set(url: string, answer: StoredAnswer): void {
    this.#answers.delete(url);
    this.#answers.set(url, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > REMEMBERED_ANSWERS && oldest) this.#answers.delete(oldest);
  }
}

/** Return the milliseconds after which to try again, null if that is of no use. */
function pauseAfter(error: ManagedUsersError, attempt: number): number | null {
  if (error instanceof ConnectionFailedError) {
    const pause = 1000 * FIRST_PAUSE_SECONDS * 2 ** attempt;
    return attempt < RETRIES_WITHOUT_ANSWER ? pause * (0.5 + Math.random() / 2) : null;
  }
  const told = error instanceof AnswerError ? error.retryAfter : null;
  return told === null ? null : 1000 * told;
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Return what went wrong, without a text that may hold the URL, and with it addresses. */
function nameOf(cause: unknown): string {
  const { name, cause: inner } = cause as { name?: string; cause?: { code?: string } };
  return inner?.code ?? name ?? "unknown";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isAnswer(value: unknown): value is { data: unknown } {
  return typeof value === "object" && value !== null && "data" in value;
}
