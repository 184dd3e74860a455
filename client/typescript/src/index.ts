export { Client, type ClientOptions, type RefreshOptions } from "./client.js";
export {
  AnswerError,
  ConnectionFailedError,
  ForbiddenError,
  GoneError,
  InvalidRequestError,
  ManagedUsersError,
  NotAskedError,
  NotFoundError,
  UnavailableError,
  WebhookVerificationError,
} from "./errors.js";
export type {
  Cache,
  ChangeEvent,
  Changes,
  Field,
  Filters,
  Names,
  NextQuery,
  Page,
  Refreshed,
  User,
} from "./models.js";
export type {
  AnswerCache,
  ReadOptions,
  RequestOptions,
  StoredAnswer,
  TransportOptions,
} from "./transport.js";
export { type DeliveryHeaders, verifyWebhook } from "./webhook.js";
