/**
 * Every error that this client throws on purpose.
 *
 *     ManagedUsersError
 *     |-- ConnectionFailedError     no answer came at all
 *     |-- NotAskedError             a list that may lack some of whom it was asked for
 *     |-- WebhookVerificationError  a delivery that nobody who knows the secret has sent just now
 *     `-- AnswerError               an answer that is an error
 *         |-- InvalidRequestError   400, 405
 *         |-- ForbiddenError        401, 403
 *         |-- NotFoundError         404
 *         |-- GoneError             410: a cursor or a generation that is no longer kept
 *         `-- UnavailableError      429, 5xx: later, the same request may succeed
 */

import type { Page, User } from "./models.js";
import type { components } from "./schema.js";

type Body = Partial<components["schemas"]["Error"]> & { readonly message?: string };
// Which fields were asked for, an error's type cannot tell.
type PartOfAPage = Omit<Page, "users"> & { readonly users: readonly Partial<User>[] };
type Details = components["schemas"]["Error"]["error"]["details"];

/** The request has no result. */
export class ManagedUsersError extends Error {
  override readonly name: string = "ManagedUsersError";
}

/** The service could not be reached; `cause` is what `fetch` threw. */
export class ConnectionFailedError extends ManagedUsersError {
  override readonly name = "ConnectionFailedError";
}

/** Some of whom was asked for may exist: the origin could not be asked about them. */
export class NotAskedError extends ManagedUsersError {
  override readonly name = "NotAskedError";
  /** Those of whom nothing is known, as they were written. */
  readonly notAsked: readonly (string | number)[];
  /** What is known of the others. */
  readonly page: PartOfAPage;

  constructor(notAsked: readonly (string | number)[], page: PartOfAPage) {
    super(`the origin could not be asked about ${notAsked.length} of the users`);
    this.notAsked = notAsked;
    this.page = page;
  }
}

/** The delivery is refused; the message says why and quotes nothing of it. */
export class WebhookVerificationError extends ManagedUsersError {
  override readonly name = "WebhookVerificationError";
}

/** The service answered with an error; the message is its own. */
export class AnswerError extends ManagedUsersError {
  override readonly name: string = "AnswerError";
  readonly status: number;
  /** As the origin names it: `NotFoundException`; empty where API Gateway answered by itself. */
  readonly code: string;
  readonly details: Details;
  /** What the service's logs carry. */
  readonly requestId: string;
  /** Why, in the words of `Cache-Status`: `origin-blocked`, for example. */
  readonly reason: string | null;
  /** Seconds after which the request may succeed. */
  readonly retryAfter: number | null;

  constructor(status: number, headers: Headers, body: Body) {
    const { code = "", message = body.message, details = {} } = body.error ?? {};
    super(constraints(details) || message || `status ${status}`);
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = body.requestId ?? headers.get("X-Request-Id") ?? "";
    this.reason = /; detail=([\w-]+)/.exec(headers.get("Cache-Status") ?? "")?.[1] ?? null;
    this.retryAfter = secondsOf(headers.get("Retry-After"));
  }
}

/** The request can never succeed as it is; `details` names the parameter. */
export class InvalidRequestError extends AnswerError {
  override readonly name = "InvalidRequestError";
}

/** The request is not signed, or its signer may not do this. */
export class ForbiddenError extends AnswerError {
  override readonly name = "ForbiddenError";
}

/** The client has no such user, or the deployment does not know the client. */
export class NotFoundError extends AnswerError {
  override readonly name = "NotFoundError";
}

/** What a cursor or `since` names is no longer kept. */
export class GoneError extends AnswerError {
  override readonly name = "GoneError";
}

/** The service cannot answer now. */
export class UnavailableError extends AnswerError {
  override readonly name = "UnavailableError";
}

/** Return the error for an answer; whatever is between the service and us may have written it. */
export function errorOf(status: number, headers: Headers, body: unknown): AnswerError {
  const object: Body = typeof body === "object" && body !== null ? body : {};
  return new (kindOf(status))(status, headers, object);
}

function kindOf(status: number): typeof AnswerError {
  switch (status) {
    case 400:
    case 405:
      return InvalidRequestError;
    case 401:
    case 403:
      return ForbiddenError;
    case 404:
      return NotFoundError;
    case 410:
      return GoneError;
    default:
      return status === 429 || status >= 500 ? UnavailableError : AnswerError;
  }
}

/** The origin's validator says "Bad Request Exception", and what it means in the details alone. */
function constraints(details: Details): string {
  const errors = (details.errors ?? []) as { constraints?: Record<string, string> }[];
  return errors.flatMap((error) => Object.values(error.constraints ?? {})).join("; ");
}

/** Return the seconds of a `Retry-After` (RFC 9110 section 10.2.3), null if it has none. */
function secondsOf(text: string | null): number | null {
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
