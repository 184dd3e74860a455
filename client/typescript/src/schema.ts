// Made by `npm run generate` of docs/openapi.json and docs/events.

export interface paths {
    readonly "/oauth-clients/{clientId}/users": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /**
         * A list of managed users
         * @description A comma means or, several parameters mean and. Other names are refused.
         */
        readonly get: operations["listManagedUsers"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * A list of managed users: the headers alone
         * @description A comma means or, several parameters mean and. Other names are refused.
         */
        readonly head: operations["headManagedUsers"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/users/{userId}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
                /** @description The id of a user. */
                readonly userId: components["parameters"]["userId"];
            };
            readonly cookie?: never;
        };
        /**
         * One managed user
         * @description Past the users that the origin lists, too.
         */
        readonly get: operations["getManagedUser"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * One managed user: the headers alone
         * @description Past the users that the origin lists, too.
         */
        readonly head: operations["headManagedUser"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/users/lookup": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Users by names that stay out of URLs
         * @description Answered as the list with the same names would be. Never conditional. Links leave the names out: post the same body again.
         */
        readonly post: operations["lookUpManagedUsers"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/cache": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /**
         * What is stored, and how old it is
         * @description Never asks the origin.
         */
        readonly get: operations["getCache"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * What is stored, and how old it is: the headers alone
         * @description Never asks the origin.
         */
        readonly head: operations["headCache"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/cache/changes": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /**
         * What changed since a generation
         * @description As one difference: what happened and was undone in between is not told.
         */
        readonly get: operations["listChanges"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * What changed since a generation: the headers alone
         * @description As one difference: what happened and was undone in between is not told.
         */
        readonly head: operations["headChanges"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/cache/refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Ask the origin again
         * @description Forced sweeps of one client start at least 10 s apart; a request that comes earlier waits.
         */
        readonly post: operations["refreshCache"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/webhook": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take a webhook of Cal.com's
         * @description Whoever a webhook names and may be a user of this client is asked for at the origin, elsewhere and within seconds. There is no such route unless the deployment has it (`InboundWebhooks=true`) and the client has a webhook secret. Calls are signed by Cal.com and not by AWS.
         */
        readonly post: operations["receiveWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * This document
         * @description As deployed.
         */
        readonly get: operations["getOpenapiDocument"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * This document: the headers alone
         * @description As deployed.
         */
        readonly head: operations["headOpenapiDocument"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/cache/pages": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /**
         * The digests of the directory, page by page
         * @description Whose copy has another digest finds where it differs. A page goes from its first id (the first one from 0) to the next page's.
         */
        readonly get: operations["listPages"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * The digests of the directory, page by page: the headers alone
         * @description Whose copy has another digest finds where it differs. A page goes from its first id (the first one from 0) to the next page's.
         */
        readonly head: operations["headPages"];
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/oauth-clients/{clientId}/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /**
         * The events after a place in the history
         * @description The very events that are pushed, in the same order, for as long as generations are kept.
         */
        readonly get: operations["listEvents"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        /**
         * The events after a place in the history: the headers alone
         * @description The very events that are pushed, in the same order, for as long as generations are kept.
         */
        readonly head: operations["headEvents"];
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A user as the origin describes it; fields that the origin adds are passed on. `id`, `email`, `createdDate` are always there unless `fields` leaves them out; others a deployment may hide. */
        readonly ManagedUser: {
            /** Format: int64 */
            readonly id?: number;
            /** @description As stored at the origin: with `+<clientId>` before the at sign. */
            readonly email?: string;
            readonly username?: string | null;
            readonly name?: string | null;
            readonly bio?: string | null;
            /** @description A name of the IANA time zone database. */
            readonly timeZone?: string;
            readonly weekStart?: string;
            /** Format: date-time */
            readonly createdDate?: string;
            /** @description 12 or 24. */
            readonly timeFormat?: number | null;
            readonly defaultScheduleId?: number | null;
            readonly locale?: string | null;
            readonly avatarUrl?: string | null;
            /** @description What the platform and the origin keep with the user. */
            readonly metadata?: Record<string, unknown>;
            /**
             * Format: date-time
             * @description When this service first saw the user as he is: the beginning of the sweep that found him changed, or new. The origin has no such date. Absent where he was so when the service began to watch, where a look-up has just found him, and where the deployment does not keep it (`UpdatedAt`).
             * @example 2026-11-23T15:43:24.480Z
             */
            readonly updatedAt?: string;
            /** @description Fields that the user has at the origin and that were too much to be kept; not there where there are none. */
            readonly fieldsOmitted?: readonly string[];
        } & {
            readonly [key: string]: unknown;
        };
        readonly Pagination: {
            readonly totalItems: number;
            readonly remainingItems: number;
            readonly returnedItems: number;
            readonly itemsPerPage: number;
            readonly currentPage: number;
            readonly totalPages: number;
            readonly hasNextPage: boolean;
            readonly hasPreviousPage: boolean;
            /** @description False if there may be users, or fields of users, that are not known here. */
            readonly complete: boolean;
            /**
             * @description Why users may be missing, or fields of users, null where none are. `window-full`: the origin lists no more; `adoption-limit`: no more users past that are kept; `unconfirmed-deletions`: users that the origin left out are not yet known to be gone; `members-undecided`: whose some members of the client's organization are is not known yet; `list-unfinished`: the first sweep of its list is not at the end yet; `fields-omitted`: everybody is there, but fields of somebody were too much to be kept.
             * @enum {string|null}
             */
            readonly incompleteReason: "window-full" | "adoption-limit" | "unconfirmed-deletions" | "members-undecided" | "list-unfinished" | "fields-omitted" | null;
        };
        readonly UserList: {
            /** @constant */
            readonly status: "success";
            readonly data: readonly components["schemas"]["ManagedUser"][];
            readonly pagination: components["schemas"]["Pagination"];
            /** @description There when `emails`, `ids` or `usernames` is: those that no known user has, as they were written. */
            readonly notFound?: readonly (string | number)[];
            /** @description Of whom nothing is known, as the origin could not be asked. */
            readonly notAsked?: readonly (string | number)[];
        };
        readonly User: {
            /** @constant */
            readonly status: "success";
            readonly data: components["schemas"]["ManagedUser"];
        };
        /**
         * @description Why something is as it is; `docs/runbook.md` explains each. Cache-Status gives it as `detail`, beside words of its own.
         * @enum {string}
         */
        readonly Reason: "deadline" | "origin-5xx" | "origin-auth" | "origin-challenge" | "origin-connection" | "origin-not-found" | "origin-status" | "origin-timeout" | "not-json" | "rows-out-of-order" | "too-large" | "too-many-rows" | "windows-out-of-order" | "wrong-shape" | "wrong-user" | "broken-head" | "too-deep" | "loss-doubted" | "organization-anchor" | "organization-empty" | "organization-failing" | "organization-id" | "organization-refused" | "organization-unusable" | "frozen" | "generation-awaited" | "lease-held" | "lease-lapsed" | "lookup-in-flight" | "origin-backoff" | "origin-blocked" | "origin-budget" | "out-of-time" | "refresh-floor" | "client-not-configured" | "secret-malformed" | "secret-missing" | "broken-listing" | "broken-page" | "broken-shard" | "conflict" | "events-refused" | "invoke-failed" | "lease-lost" | "missing-manifest" | "missing-page" | "newer-format" | "queue-refused" | "store-refused" | "store-throttled" | "store-unreachable" | "store-unsettled" | "unexpected";
        readonly Cache: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                /** @description 0: nothing was ever published. */
                readonly generation: number;
                /** @description Names what is stored. */
                readonly digest: string | null;
                readonly users: number;
                readonly complete: boolean;
                /**
                 * @description Why users may be missing, or fields of users, null where none are. `window-full`: the origin lists no more; `adoption-limit`: no more users past that are kept; `unconfirmed-deletions`: users that the origin left out are not yet known to be gone; `members-undecided`: whose some members of the client's organization are is not known yet; `list-unfinished`: the first sweep of its list is not at the end yet; `fields-omitted`: everybody is there, but fields of somebody were too much to be kept.
                 * @enum {string|null}
                 */
                readonly incompleteReason: "window-full" | "adoption-limit" | "unconfirmed-deletions" | "members-undecided" | "list-unfinished" | "fields-omitted" | null;
                /** @description Seconds since the last sweep began. */
                readonly age: number | null;
                /** @description Seconds since which every user was seen at the origin. */
                readonly oldestObservationAge: number | null;
                /**
                 * Format: date-time
                 * @description In UTC, to the millisecond.
                 */
                readonly validatedAt: string | null;
                /** @description Whether somebody is asking the origin. */
                readonly revalidating: boolean;
                /** @description Seconds between two sweeps on schedule. More while nobody reads the directory. */
                readonly revalidationInterval: number;
                /**
                 * Format: date-time
                 * @description When somebody read the directory last, to within ten minutes. In UTC, to the millisecond.
                 */
                readonly lastReadAt: string | null;
                /** @description Why the last sweep failed, null after one that did not. */
                readonly lastError: components["schemas"]["Reason"] | null;
                /**
                 * Format: date-time
                 * @description In UTC, to the millisecond.
                 */
                readonly blockedUntil: string | null;
                /**
                 * Format: date-time
                 * @description In UTC, to the millisecond.
                 */
                readonly retryAt: string | null;
                /** @description Calls to the origin, of this minute. */
                readonly originBudget: {
                    readonly limit: number;
                    readonly remaining: number;
                };
                /** @description Whether the list of the client's organization is used; null where the secret names no organization. */
                readonly organization: {
                    /** @description False while the window is swept instead. */
                    readonly inUse: boolean;
                    /** @description Why it is not used, null while it is. */
                    readonly reason: components["schemas"]["Reason"] | null;
                    /**
                     * Format: date-time
                     * @description When it is tried again. In UTC, to the millisecond.
                     */
                    readonly retryAt: string | null;
                    /** @description Of how many members it is not known yet whose they are. */
                    readonly undecided: number;
                } | null;
                /** @description Which build of this service answered. */
                readonly version: string;
                /** @description The digest of all users, by the recipe of `docs/mirror.md`; null where it is not known. */
                readonly usersDigest: string | null;
            };
        };
        readonly Changes: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                /** @description Rises by one whenever the directory changes. */
                readonly since: number;
                /** @description The newest; ask for what came after it. */
                readonly generation: number;
                /** @description The digest of the users of that generation; null where it is not known. */
                readonly usersDigest: string | null;
                /** @description User ids, rising. */
                readonly created: readonly number[];
                /** @description Were there all along, and became known. */
                readonly discovered: readonly number[];
                readonly updated: readonly {
                    readonly id: number;
                    /** @description Those that changed. */
                    readonly fields: readonly string[];
                }[];
                /** @description User ids, rising. */
                readonly deleted: readonly number[];
                /** @description Those who were created, discovered or updated, as they are; with `include=values`. */
                readonly users?: readonly components["schemas"]["ManagedUser"][];
            };
        };
        readonly Refreshed: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                /** @enum {string} */
                readonly outcome: "published" | "unchanged" | "joined";
                /** @description Rises by one whenever the directory changes. */
                readonly generation: number;
                /** @description To the origin, for this request. */
                readonly calls: number;
            };
        };
        readonly RefreshAccepted: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                /** @constant */
                readonly outcome: "accepted";
                /** @description Rises by one whenever the directory changes. */
                readonly generation: number;
            };
        };
        readonly WebhookAccepted: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                /**
                 * @description `accepted`: they are asked for. `ignored`: there is nobody to ask for, or the deployment is frozen. `dropped`: too many wait already.
                 * @enum {string}
                 */
                readonly outcome: "accepted" | "ignored" | "dropped";
                /** @description How many possible users of this client the webhook names. */
                readonly users: number;
            };
        };
        /** @description Names of one kind. */
        readonly Lookup: {
            readonly emails: readonly string[];
        } | {
            readonly ids: readonly number[];
        } | {
            readonly usernames: readonly string[];
        };
        readonly Error: {
            /** @constant */
            readonly status: "error";
            /** @description ISO 8601; API Gateway writes one of its own form. */
            readonly timestamp: string;
            /** @description Without the query, which may hold addresses. */
            readonly path: string;
            /** @description The id that the logs carry. */
            readonly requestId: string;
            readonly error: {
                /** @enum {string} */
                readonly code: "BadGatewayException" | "BadRequestException" | "ForbiddenException" | "GatewayTimeoutException" | "GoneException" | "InternalServerErrorException" | "MethodNotAllowedException" | "NotFoundException" | "PayloadTooLargeException" | "ResponseTooLarge" | "ServiceUnavailableException" | "ThrottlerException";
                readonly message: string;
                /** @description In the origin's forms: `message`, `error` and `statusCode`, or `errors` of its validator. A parameter of our own adds `parameter`, `allowed` where that can be listed and, maybe, `suggestion`; a failure that is not the caller's adds `fault`, `reason` and, where asking again may help at some time, `retryAfter`. */
                readonly details: {
                    readonly message?: string;
                    readonly error?: string;
                    readonly statusCode?: number;
                    readonly parameter?: string;
                    readonly allowed?: readonly string[];
                    readonly suggestion?: string;
                    readonly errors?: readonly Record<string, unknown>[];
                    /**
                     * @description Whose it is: the origin's, this deployment's secret's, its storage's, or this service's, of which nobody is to blame.
                     * @enum {string}
                     */
                    readonly fault?: "configuration" | "origin" | "service" | "storage";
                    readonly reason?: components["schemas"]["Reason"];
                    /** @description Seconds, as in `Retry-After`. */
                    readonly retryAfter?: number;
                };
            };
        };
        /** @description A CloudEvent 1.0; `docs/events` has a schema for each type. */
        readonly Event: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition. */
            readonly id: string;
            readonly source: string;
            readonly type: string;
            /** @description The user's id; a baseline has none. */
            readonly subject?: string;
            /**
             * Format: date-time
             * @description When the sweep that saw it began.
             */
            readonly time: string;
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: components["schemas"]["UserChange"] | components["schemas"]["Baseline"];
        };
        readonly Events: {
            /** @constant */
            readonly status: "success";
            readonly data: readonly components["schemas"]["Event"][];
            readonly pagination: {
                /** @description Where to go on: ask again with it as `after`. */
                readonly cursor: string;
                /** @description Whether to ask again at once. */
                readonly hasMore: boolean;
                readonly returnedItems: number;
                readonly itemsPerPage: number;
                /** @description All events up to this generation have been told when this page has. */
                readonly generation: number;
                /** @description The digest of the users of that generation, by the recipe of `docs/mirror.md`; null where it is not known, and where the page ends among the events that lead to the next. */
                readonly usersDigest: string | null;
            };
        };
        /** @description What happened to one user. */
        readonly UserChange: {
            readonly clientId: string;
            readonly userId: number;
            /** @description The first that shows it. */
            readonly generation: number;
            /** @description What it was compared with. */
            readonly previousGeneration: number;
            /** @description Those that changed. */
            readonly fields: readonly string[];
            /** @description The user as it was, with values. */
            readonly before?: components["schemas"]["ManagedUser"] | null;
            /** @description The user as it is, with values. */
            readonly after?: components["schemas"]["ManagedUser"] | null;
            /**
             * @description The values are too long for the bus; not with `include=values`.
             * @constant
             */
            readonly valuesOmitted?: true;
        };
        /** @description There is nothing to compare with: start from the directory itself. */
        readonly Baseline: {
            readonly clientId: string;
            readonly generation: number;
            readonly users: number;
            readonly complete: boolean;
            /** @enum {string|null} */
            readonly incompleteReason: "window-full" | "adoption-limit" | "unconfirmed-deletions" | "fields-omitted" | null;
        };
        readonly Pages: {
            /** @constant */
            readonly status: "success";
            readonly data: {
                readonly generation: number;
                readonly users: number;
                /** @description The sum of those of the pages. */
                readonly usersDigest: string;
                /** @description By rising ids. */
                readonly pages: readonly {
                    readonly firstId: number;
                    readonly lastId: number;
                    readonly users: number;
                    /** @description The digest of its users. */
                    readonly usersDigest: string;
                }[];
            };
        };
        readonly generation: number;
        /** Format: date-time */
        readonly dateTime: string;
        /** @description A managed user as the directory answers it; what the deployment hides is not in it. */
        readonly user: {
            readonly id: number;
            readonly email: string;
        };
        /** @description A user was created since the previous generation. */
        readonly UserCreatedEvent: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition of this event, and for no other. */
            readonly id: string;
            readonly source: string;
            /** @constant */
            readonly type: "managed-users-proxy.managed-user.created.v1";
            /** @description The user's id. */
            readonly subject: string;
            /** @description When the sweep that saw it began. */
            readonly time: components["schemas"]["dateTime"];
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: {
                readonly clientId: string;
                readonly userId: number;
                /** @description The first generation that shows it. */
                readonly generation: components["schemas"]["generation"];
                /** @description The generation it was compared with. */
                readonly previousGeneration: components["schemas"]["generation"];
                /** @description Empty: the event is about the user as a whole. */
                readonly fields: readonly unknown[];
                /** @description The user as it was; only where the deployment asks for values. */
                readonly before?: null;
                /** @description The user as it is; only where the deployment asks for values. */
                readonly after?: components["schemas"]["user"];
                /**
                 * @description The values are asked for, but too long for an event.
                 * @constant
                 */
                readonly valuesOmitted?: true;
            };
        };
        /** @description A user is gone. */
        readonly UserDeletedEvent: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition of this event, and for no other. */
            readonly id: string;
            readonly source: string;
            /** @constant */
            readonly type: "managed-users-proxy.managed-user.deleted.v1";
            /** @description The user's id. */
            readonly subject: string;
            /** @description When the sweep that saw it began. */
            readonly time: components["schemas"]["dateTime"];
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: {
                readonly clientId: string;
                readonly userId: number;
                /** @description The first generation that shows it. */
                readonly generation: components["schemas"]["generation"];
                /** @description The generation it was compared with. */
                readonly previousGeneration: components["schemas"]["generation"];
                /** @description Empty: the event is about the user as a whole. */
                readonly fields: readonly unknown[];
                /** @description The user as it was; only where the deployment asks for values. */
                readonly before?: components["schemas"]["user"];
                /** @description The user as it is; only where the deployment asks for values. */
                readonly after?: null;
                /**
                 * @description The values are asked for, but too long for an event.
                 * @constant
                 */
                readonly valuesOmitted?: true;
            };
        };
        /** @description A user that is not new became known: a look-up found it, or somebody's deletion moved it into what the origin lists. */
        readonly UserDiscoveredEvent: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition of this event, and for no other. */
            readonly id: string;
            readonly source: string;
            /** @constant */
            readonly type: "managed-users-proxy.managed-user.discovered.v1";
            /** @description The user's id. */
            readonly subject: string;
            /** @description When the sweep that saw it began. */
            readonly time: components["schemas"]["dateTime"];
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: {
                readonly clientId: string;
                readonly userId: number;
                /** @description The first generation that shows it. */
                readonly generation: components["schemas"]["generation"];
                /** @description The generation it was compared with. */
                readonly previousGeneration: components["schemas"]["generation"];
                /** @description Empty: the event is about the user as a whole. */
                readonly fields: readonly unknown[];
                /** @description The user as it was; only where the deployment asks for values. */
                readonly before?: null;
                /** @description The user as it is; only where the deployment asks for values. */
                readonly after?: components["schemas"]["user"];
                /**
                 * @description The values are asked for, but too long for an event.
                 * @constant
                 */
                readonly valuesOmitted?: true;
            };
        };
        /** @description Fields of a user changed. */
        readonly UserUpdatedEvent: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition of this event, and for no other. */
            readonly id: string;
            readonly source: string;
            /** @constant */
            readonly type: "managed-users-proxy.managed-user.updated.v1";
            /** @description The user's id. */
            readonly subject: string;
            /** @description When the sweep that saw it began. */
            readonly time: components["schemas"]["dateTime"];
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: {
                readonly clientId: string;
                readonly userId: number;
                /** @description The first generation that shows it. */
                readonly generation: components["schemas"]["generation"];
                /** @description The generation it was compared with. */
                readonly previousGeneration: components["schemas"]["generation"];
                /** @description The names of the fields that changed. */
                readonly fields: readonly string[];
                /** @description The user as it was; only where the deployment asks for values. */
                readonly before?: components["schemas"]["user"];
                /** @description The user as it is; only where the deployment asks for values. */
                readonly after?: components["schemas"]["user"];
                /**
                 * @description The values are asked for, but too long for an event.
                 * @constant
                 */
                readonly valuesOmitted?: true;
            };
        };
        /** @description There is nothing to compare this generation with: start from the directory itself. */
        readonly BaselineEvent: {
            /** @constant */
            readonly specversion: "1.0";
            /** @description The same for every repetition of this event, and for no other. */
            readonly id: string;
            readonly source: string;
            /** @constant */
            readonly type: "managed-users-proxy.managed-users.baseline.v1";
            /** @description When the sweep that saw it began. */
            readonly time: components["schemas"]["dateTime"];
            /** @constant */
            readonly datacontenttype: "application/json";
            readonly data: {
                readonly clientId: string;
                /** @description The generation to start from. */
                readonly generation: components["schemas"]["generation"];
                /** @description How many users it holds. */
                readonly users: number;
                /** @description Whether these are all users of the client, with all of their fields. */
                readonly complete: boolean;
                /** @description Why they may not be. */
                readonly incompleteReason: string | null;
            };
        };
    };
    responses: {
        /** @description Users. */
        readonly Users: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Generation": components["headers"]["X-Generation"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "X-Total-Count": components["headers"]["X-Total-Count"];
                readonly "X-Users-Digest": components["headers"]["X-Users-Digest"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["UserList"];
            };
        };
        /** @description Users. */
        readonly UsersHead: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Generation": components["headers"]["X-Generation"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "X-Total-Count": components["headers"]["X-Total-Count"];
                readonly "X-Users-Digest": components["headers"]["X-Users-Digest"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The caller has this answer already. To a filtered list or a window of a traversal without `Link` and `X-Total-Count`. */
        readonly UsersNotModified: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Generation": components["headers"]["X-Generation"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly "X-Total-Count": components["headers"]["X-Total-Count"];
                readonly "X-Users-Digest": components["headers"]["X-Users-Digest"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The user. */
        readonly User: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["User"];
            };
        };
        /** @description The user. */
        readonly UserHead: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The caller has this answer already. */
        readonly UserNotModified: {
            headers: {
                readonly Age: components["headers"]["Age"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly ETag: components["headers"]["ETag"];
                readonly "Last-Modified": components["headers"]["Last-Modified"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The document. */
        readonly Document: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": Record<string, unknown>;
            };
        };
        /** @description The document. */
        readonly DocumentHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The caller has this answer already. */
        readonly DocumentNotModified: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description What is stored. */
        readonly Cache: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Cache"];
            };
        };
        /** @description What changed. */
        readonly Changes: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Changes"];
            };
        };
        /** @description The directory was swept. */
        readonly Refreshed: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Refreshed"];
            };
        };
        /** @description The sweep runs elsewhere. */
        readonly RefreshAccepted: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["RefreshAccepted"];
            };
        };
        /** @description Who was named is asked for elsewhere, if anybody. */
        readonly WebhookAccepted: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["WebhookAccepted"];
            };
        };
        /** @description A bad value or an unknown name; or the answer would pass 6 MB. */
        readonly BadRequest: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A bad value or an unknown name; or the answer would pass 6 MB. */
        readonly BadRequestHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description From API Gateway: the call is not signed, or not allowed. Behind an HTTP API the body is `{"message": "Forbidden"}`. */
        readonly Forbidden: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description From API Gateway: the call is not signed, or not allowed. Behind an HTTP API the body is `{"message": "Forbidden"}`. */
        readonly ForbiddenHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description A webhook that is not signed with a webhook secret of the client's. */
        readonly NotSigned: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A client that the secret does not name, or a user that the client does not have. */
        readonly NotFound: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A client that the secret does not name, or a user that the client does not have. */
        readonly NotFoundHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The answer to any method not described here. */
        readonly MethodNotAllowed: {
            headers: {
                readonly Allow: components["headers"]["Allow"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description The answer to any method not described here. */
        readonly MethodNotAllowedHead: {
            headers: {
                readonly Allow: components["headers"]["Allow"];
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description A cursor that is no longer valid or a moment of which nothing is kept any more (of a list, `Link` says where to start again), or a generation that can no longer be compared with, or whose events are no longer known. */
        readonly Gone: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly Link: components["headers"]["Link"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A cursor that is no longer valid or a moment of which nothing is kept any more (of a list, `Link` says where to start again), or a generation that can no longer be compared with, or whose events are no longer known. */
        readonly GoneHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly Link: components["headers"]["Link"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description A webhook of more than 256 KB. */
        readonly ContentTooLarge: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description From API Gateway: its own throttling. Behind an HTTP API the body is `{"message": "Too Many Requests"}`, and there is no `Retry-After`. */
        readonly TooManyRequests: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description From API Gateway: its own throttling. Behind an HTTP API the body is `{"message": "Too Many Requests"}`, and there is no `Retry-After`. */
        readonly TooManyRequestsHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description A fault of the service. */
        readonly InternalServerError: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description A fault of the service. */
        readonly InternalServerErrorHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Nothing usable is stored, and the origin's answer is not usable. */
        readonly BadGateway: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Nothing usable is stored, and the origin's answer is not usable. */
        readonly BadGatewayHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Nothing usable is stored, and the origin may not be asked now; or AWS does not answer. */
        readonly ServiceUnavailable: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Nothing usable is stored, and the origin may not be asked now; or AWS does not answer. */
        readonly ServiceUnavailableHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Nothing usable is stored, and the origin did not answer in time; or nothing suitable is, and `only-if-cached` was asked. */
        readonly GatewayTimeout: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Error"];
            };
        };
        /** @description Nothing usable is stored, and the origin did not answer in time; or nothing suitable is, and `only-if-cached` was asked. */
        readonly GatewayTimeoutHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "Cache-Status": components["headers"]["Cache-Status"];
                readonly "Retry-After": components["headers"]["Retry-After"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description What is stored. */
        readonly CacheHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description What changed. */
        readonly ChangesHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Events, oldest first, and where to go on. */
        readonly Events: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Events"];
            };
        };
        /** @description Events, oldest first, and where to go on. */
        readonly EventsHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The caller has this answer already: there is nothing new. */
        readonly EventsNotModified: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly ETag: components["headers"]["ETag"];
                readonly Link: components["headers"]["Link"];
                readonly Vary: components["headers"]["Vary"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Digests of pages. */
        readonly Pages: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/json": components["schemas"]["Pages"];
            };
        };
        /** @description Digests of pages. */
        readonly PagesHead: {
            headers: {
                readonly "Cache-Control": components["headers"]["Cache-Control"];
                readonly "X-Request-Id": components["headers"]["X-Request-Id"];
                readonly [name: string]: unknown;
            };
            content?: never;
        };
    };
    parameters: {
        /** @description The id of an OAuth client that the deployment's secret names. */
        readonly clientIdInPath: string;
        /** @description The id of a user. */
        readonly userId: number;
        /** @description Most users in the answer. Read as JavaScript's `parseInt` reads it: `2.0` is 2, `10abc` is 10, `0x10` is 16. */
        readonly limit: number;
        /** @description How many users of the filtered, sorted list to leave out, in the newest generation; read as `limit` is. Unlike at the origin there is no upper bound. */
        readonly offset: number;
        /** @description Addresses separated by commas. Each is trimmed and validated; case matters. One without the client id is looked up with `+<clientId>` before the at sign. A raw `+` in a URL is a space: write `%2B`. The pattern has the usual ones; all that validator.js takes for one are good. */
        readonly emails: string;
        /** @description Addresses as a list, which is neither split nor trimmed nor validated. `emails[0]=…` and `emails=…` more than once mean the same. */
        readonly emailsList: readonly string[];
        /** @description How addresses are compared. `folded`: their case does not matter. */
        readonly email_match: "exact" | "folded";
        /** @description User ids. */
        readonly ids: readonly number[];
        /** @description Usernames; case matters. */
        readonly usernames: readonly string[];
        /** @description A part of the name, the username or the address. Neither case nor how a letter is composed matters. */
        readonly q: string;
        /** @description Time zones; a user with any of them is listed. */
        readonly timeZone: readonly string[];
        /** @description Locales; a user with any of them is listed. */
        readonly locale: readonly string[];
        /** @description Users created then or later. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
        readonly createdAfter: string | unknown | unknown;
        /** @description Users created earlier. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
        readonly createdBefore: string | unknown | unknown;
        /** @description Each user has these fields alone. All unless given. */
        readonly fields: readonly ("id" | "email" | "username" | "name" | "bio" | "timeZone" | "weekStart" | "createdDate" | "timeFormat" | "defaultScheduleId" | "locale" | "avatarUrl" | "metadata" | "updatedAt")[];
        /** @description The order; `-` reverses it. Null comes last, equals by rising id. */
        readonly sort: "id" | "-id" | "createdDate" | "-createdDate" | "updatedAt" | "-updatedAt" | "name" | "-name" | "email" | "-email";
        /** @description Values of a key of a user's metadata. `metadata[key]=…`: values separated by commas, or one that holds a comma: a text as it is, anything else as JSON (`true`, `3`, `null`). */
        readonly metadata: {
            readonly [key: string]: string;
        };
        /** @description The next window of a traversal, as a `Link` of an answer gives it: opaque, of one view, good for an hour. Only `limit` may differ from the request that it came with; `offset`, `min_generation` and `asOf` are refused beside it. */
        readonly cursor: string;
        /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
        readonly min_generation: number;
        /** @description The generation that the caller knows. */
        readonly since: number;
        /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
        readonly "Cache-Control": string;
        /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
        readonly "If-None-Match": string;
        /** @description The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`. */
        readonly "If-Modified-Since": string;
        /** @description The HMAC-SHA256 of the exact body, with the client's webhook secret, in lower-case hex. */
        readonly "X-Cal-Signature-256": string;
        /** @description Accepted and ignored, because a published client sends it. */
        readonly clientId: string;
        /** @description Where to go on: the `cursor` of an answer, opaque and of one client; or the number of a generation, whose events were told already. Without it the answer is one baseline event of the newest generation. */
        readonly after: string;
        /** @description Most events in the answer. There may be fewer, even none, although there are more. */
        readonly eventLimit: number;
        /** @description `values`: with users as they are (of an event, as they were and are, however long). Of events without it, as the deployment pushes them. */
        readonly include: "values";
        /** @description Users whose `updatedAt` is then or later. Who was deleted since is in no list (`GET …/cache/changes` tells). ISO 8601 to the millisecond, in UTC unless it says otherwise. Refused where the deployment does not keep `updatedAt`. */
        readonly changedSince: string | unknown | unknown;
        /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
        readonly asOf: string | unknown | unknown | unknown;
    };
    requestBodies: never;
    headers: {
        /**
         * @description Seconds since the sweep that the answer rests on began; absent when the origin was asked for this very request.
         * @example 42
         */
        readonly Age: number;
        /**
         * @description The methods of this path.
         * @example GET, HEAD
         */
        readonly Allow: string;
        /**
         * @description Of answers that a private cache may keep; `private, no-cache` where a cursor or `asOf` was sent and of events; `no-store` on errors and on everything below `cache`.
         * @example private, max-age=120, stale-while-revalidate=600, stale-if-error=604800
         */
        readonly "Cache-Control": string;
        /**
         * @description How the answer was come by (RFC 9211).
         * @example managed-users; hit; ttl=78
         */
        readonly "Cache-Status": string;
        /**
         * @description A list's changes when the directory does, a user's when that user does.
         * @example W/"2-a778436908a1f97d1e9647cf"
         */
        readonly ETag: string;
        /**
         * @description When the directory changed last.
         * @example Mon, 23 Nov 2026 16:46:51 GMT
         */
        readonly "Last-Modified": string;
        /**
         * @description `first`, `prev` and `next` as query-only references (RFC 8288): resolve them against the URL that was asked for. A long question is named by `ids` there, or left out: a `cursor` alone goes beside the parameters of the question. With `asOf` they name the generation.
         * @example <?limit=50>; rel="first", <?limit=50&cursor=qS8uA1kq>; rel="next"
         */
        readonly Link: string;
        /**
         * @description Seconds after which to ask again.
         * @example 7
         */
        readonly "Retry-After": number;
        /**
         * @description The answer may be compressed.
         * @example Accept-Encoding
         */
        readonly Vary: string;
        /**
         * @description The id that logs and error bodies carry.
         * @example 7f8d5f0e-2f8c-4b8e-9d1c-3a5b7c9d1e2f
         */
        readonly "X-Request-Id": string;
        /**
         * @description How many users the question has in all.
         * @example 120
         */
        readonly "X-Total-Count": number;
        /**
         * @description The generation that the answer is from.
         * @example 8
         */
        readonly "X-Generation": number;
        /**
         * @description The digest of all users of that generation, by the recipe of `docs/mirror.md`; absent where it is not known.
         * @example 5f0cbd0d2a2c2d14ac1d7d1a6a4e6a6d7a3f0a3ad0a3b5a3b1c7cf11a5b0c9de
         */
        readonly "X-Users-Digest": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly listManagedUsers: {
        readonly parameters: {
            readonly query?: {
                /** @description Most users in the answer. Read as JavaScript's `parseInt` reads it: `2.0` is 2, `10abc` is 10, `0x10` is 16. */
                readonly limit?: components["parameters"]["limit"];
                /** @description How many users of the filtered, sorted list to leave out, in the newest generation; read as `limit` is. Unlike at the origin there is no upper bound. */
                readonly offset?: components["parameters"]["offset"];
                /** @description Addresses separated by commas. Each is trimmed and validated; case matters. One without the client id is looked up with `+<clientId>` before the at sign. A raw `+` in a URL is a space: write `%2B`. The pattern has the usual ones; all that validator.js takes for one are good. */
                readonly emails?: components["parameters"]["emails"];
                /** @description Addresses as a list, which is neither split nor trimmed nor validated. `emails[0]=…` and `emails=…` more than once mean the same. */
                readonly "emails[]"?: components["parameters"]["emailsList"];
                /** @description How addresses are compared. `folded`: their case does not matter. */
                readonly email_match?: components["parameters"]["email_match"];
                /** @description User ids. */
                readonly ids?: components["parameters"]["ids"];
                /** @description Usernames; case matters. */
                readonly usernames?: components["parameters"]["usernames"];
                /** @description A part of the name, the username or the address. Neither case nor how a letter is composed matters. */
                readonly q?: components["parameters"]["q"];
                /** @description Time zones; a user with any of them is listed. */
                readonly timeZone?: components["parameters"]["timeZone"];
                /** @description Locales; a user with any of them is listed. */
                readonly locale?: components["parameters"]["locale"];
                /** @description Users created then or later. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdAfter?: components["parameters"]["createdAfter"];
                /** @description Users created earlier. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdBefore?: components["parameters"]["createdBefore"];
                /** @description Users whose `updatedAt` is then or later. Who was deleted since is in no list (`GET …/cache/changes` tells). ISO 8601 to the millisecond, in UTC unless it says otherwise. Refused where the deployment does not keep `updatedAt`. */
                readonly changedSince?: components["parameters"]["changedSince"];
                /** @description Each user has these fields alone. All unless given. */
                readonly fields?: components["parameters"]["fields"];
                /** @description The order; `-` reverses it. Null comes last, equals by rising id. */
                readonly sort?: components["parameters"]["sort"];
                /** @description Values of a key of a user's metadata. `metadata[key]=…`: values separated by commas, or one that holds a comma: a text as it is, anything else as JSON (`true`, `3`, `null`). */
                readonly metadata?: components["parameters"]["metadata"];
                /** @description The next window of a traversal, as a `Link` of an answer gives it: opaque, of one view, good for an hour. Only `limit` may differ from the request that it came with; `offset`, `min_generation` and `asOf` are refused beside it. */
                readonly cursor?: components["parameters"]["cursor"];
                /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
                readonly min_generation?: components["parameters"]["min_generation"];
                /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
                readonly asOf?: components["parameters"]["asOf"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
                readonly "Cache-Control"?: components["parameters"]["Cache-Control"];
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
                /** @description The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`. */
                readonly "If-Modified-Since"?: components["parameters"]["If-Modified-Since"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Users"];
            readonly 304: components["responses"]["UsersNotModified"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 410: components["responses"]["Gone"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 502: components["responses"]["BadGateway"];
            readonly 503: components["responses"]["ServiceUnavailable"];
            readonly 504: components["responses"]["GatewayTimeout"];
        };
    };
    readonly headManagedUsers: {
        readonly parameters: {
            readonly query?: {
                /** @description Most users in the answer. Read as JavaScript's `parseInt` reads it: `2.0` is 2, `10abc` is 10, `0x10` is 16. */
                readonly limit?: components["parameters"]["limit"];
                /** @description How many users of the filtered, sorted list to leave out, in the newest generation; read as `limit` is. Unlike at the origin there is no upper bound. */
                readonly offset?: components["parameters"]["offset"];
                /** @description Addresses separated by commas. Each is trimmed and validated; case matters. One without the client id is looked up with `+<clientId>` before the at sign. A raw `+` in a URL is a space: write `%2B`. The pattern has the usual ones; all that validator.js takes for one are good. */
                readonly emails?: components["parameters"]["emails"];
                /** @description Addresses as a list, which is neither split nor trimmed nor validated. `emails[0]=…` and `emails=…` more than once mean the same. */
                readonly "emails[]"?: components["parameters"]["emailsList"];
                /** @description How addresses are compared. `folded`: their case does not matter. */
                readonly email_match?: components["parameters"]["email_match"];
                /** @description User ids. */
                readonly ids?: components["parameters"]["ids"];
                /** @description Usernames; case matters. */
                readonly usernames?: components["parameters"]["usernames"];
                /** @description A part of the name, the username or the address. Neither case nor how a letter is composed matters. */
                readonly q?: components["parameters"]["q"];
                /** @description Time zones; a user with any of them is listed. */
                readonly timeZone?: components["parameters"]["timeZone"];
                /** @description Locales; a user with any of them is listed. */
                readonly locale?: components["parameters"]["locale"];
                /** @description Users created then or later. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdAfter?: components["parameters"]["createdAfter"];
                /** @description Users created earlier. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdBefore?: components["parameters"]["createdBefore"];
                /** @description Users whose `updatedAt` is then or later. Who was deleted since is in no list (`GET …/cache/changes` tells). ISO 8601 to the millisecond, in UTC unless it says otherwise. Refused where the deployment does not keep `updatedAt`. */
                readonly changedSince?: components["parameters"]["changedSince"];
                /** @description Each user has these fields alone. All unless given. */
                readonly fields?: components["parameters"]["fields"];
                /** @description The order; `-` reverses it. Null comes last, equals by rising id. */
                readonly sort?: components["parameters"]["sort"];
                /** @description Values of a key of a user's metadata. `metadata[key]=…`: values separated by commas, or one that holds a comma: a text as it is, anything else as JSON (`true`, `3`, `null`). */
                readonly metadata?: components["parameters"]["metadata"];
                /** @description The next window of a traversal, as a `Link` of an answer gives it: opaque, of one view, good for an hour. Only `limit` may differ from the request that it came with; `offset`, `min_generation` and `asOf` are refused beside it. */
                readonly cursor?: components["parameters"]["cursor"];
                /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
                readonly min_generation?: components["parameters"]["min_generation"];
                /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
                readonly asOf?: components["parameters"]["asOf"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
                readonly "Cache-Control"?: components["parameters"]["Cache-Control"];
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
                /** @description The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`. */
                readonly "If-Modified-Since"?: components["parameters"]["If-Modified-Since"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["UsersHead"];
            readonly 304: components["responses"]["UsersNotModified"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 410: components["responses"]["GoneHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 502: components["responses"]["BadGatewayHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
            readonly 504: components["responses"]["GatewayTimeoutHead"];
        };
    };
    readonly getManagedUser: {
        readonly parameters: {
            readonly query?: {
                /** @description Each user has these fields alone. All unless given. */
                readonly fields?: components["parameters"]["fields"];
                /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
                readonly min_generation?: components["parameters"]["min_generation"];
                /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
                readonly asOf?: components["parameters"]["asOf"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
                readonly "Cache-Control"?: components["parameters"]["Cache-Control"];
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
                /** @description The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`. */
                readonly "If-Modified-Since"?: components["parameters"]["If-Modified-Since"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
                /** @description The id of a user. */
                readonly userId: components["parameters"]["userId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["User"];
            readonly 304: components["responses"]["UserNotModified"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 410: components["responses"]["Gone"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 502: components["responses"]["BadGateway"];
            readonly 503: components["responses"]["ServiceUnavailable"];
            readonly 504: components["responses"]["GatewayTimeout"];
        };
    };
    readonly headManagedUser: {
        readonly parameters: {
            readonly query?: {
                /** @description Each user has these fields alone. All unless given. */
                readonly fields?: components["parameters"]["fields"];
                /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
                readonly min_generation?: components["parameters"]["min_generation"];
                /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
                readonly asOf?: components["parameters"]["asOf"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
                readonly "Cache-Control"?: components["parameters"]["Cache-Control"];
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
                /** @description The `Last-Modified` of an answer that the caller has; ignored beside `If-None-Match`. */
                readonly "If-Modified-Since"?: components["parameters"]["If-Modified-Since"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
                /** @description The id of a user. */
                readonly userId: components["parameters"]["userId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["UserHead"];
            readonly 304: components["responses"]["UserNotModified"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 410: components["responses"]["GoneHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 502: components["responses"]["BadGatewayHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
            readonly 504: components["responses"]["GatewayTimeoutHead"];
        };
    };
    readonly lookUpManagedUsers: {
        readonly parameters: {
            readonly query?: {
                /** @description Most users in the answer. Read as JavaScript's `parseInt` reads it: `2.0` is 2, `10abc` is 10, `0x10` is 16. */
                readonly limit?: number;
                /** @description How many users of the filtered, sorted list to leave out, in the newest generation; read as `limit` is. Unlike at the origin there is no upper bound. */
                readonly offset?: components["parameters"]["offset"];
                /** @description How addresses are compared. `folded`: their case does not matter. */
                readonly email_match?: components["parameters"]["email_match"];
                /** @description A part of the name, the username or the address. Neither case nor how a letter is composed matters. */
                readonly q?: components["parameters"]["q"];
                /** @description Time zones; a user with any of them is listed. */
                readonly timeZone?: components["parameters"]["timeZone"];
                /** @description Locales; a user with any of them is listed. */
                readonly locale?: components["parameters"]["locale"];
                /** @description Users created then or later. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdAfter?: components["parameters"]["createdAfter"];
                /** @description Users created earlier. ISO 8601 to the millisecond, in UTC unless it says otherwise. */
                readonly createdBefore?: components["parameters"]["createdBefore"];
                /** @description Users whose `updatedAt` is then or later. Who was deleted since is in no list (`GET …/cache/changes` tells). ISO 8601 to the millisecond, in UTC unless it says otherwise. Refused where the deployment does not keep `updatedAt`. */
                readonly changedSince?: components["parameters"]["changedSince"];
                /** @description Each user has these fields alone. All unless given. */
                readonly fields?: components["parameters"]["fields"];
                /** @description The order; `-` reverses it. Null comes last, equals by rising id. */
                readonly sort?: components["parameters"]["sort"];
                /** @description Values of a key of a user's metadata. `metadata[key]=…`: values separated by commas, or one that holds a comma: a text as it is, anything else as JSON (`true`, `3`, `null`). */
                readonly metadata?: components["parameters"]["metadata"];
                /** @description The next window of a traversal, as a `Link` of an answer gives it: opaque, of one view, good for an hour. Only `limit` may differ from the request that it came with; `offset`, `min_generation` and `asOf` are refused beside it. */
                readonly cursor?: components["parameters"]["cursor"];
                /** @description The answer is of this generation or a later one. The very next is awaited for 2 s, any above is refused. */
                readonly min_generation?: components["parameters"]["min_generation"];
                /** @description The directory as it was: the generation of this number, or the newest one at this instant. ISO 8601 to the millisecond, in UTC unless it says otherwise. Generations are kept for 30 days after they were the newest; what is longer ago is a 410, what was not there yet is refused, and so is `min_generation` beside it. Nobody is looked up, and the origin is never asked. */
                readonly asOf?: components["parameters"]["asOf"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description How old an answer may be (RFC 9111 section 5.2.1): `no-cache` and `max-age=0` wait for a sweep that began after the request; `max-age`, `min-fresh`, `max-stale` and `only-if-cached` mean what they mean there. All are wishes while the origin may not be asked; `Cache-Status` tells. `Pragma: no-cache` counts where this header is missing. */
                readonly "Cache-Control"?: components["parameters"]["Cache-Control"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Lookup"];
            };
        };
        readonly responses: {
            readonly 200: components["responses"]["Users"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 410: components["responses"]["Gone"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 502: components["responses"]["BadGateway"];
            readonly 503: components["responses"]["ServiceUnavailable"];
            readonly 504: components["responses"]["GatewayTimeout"];
        };
    };
    readonly getCache: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Cache"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 503: components["responses"]["ServiceUnavailable"];
        };
    };
    readonly headCache: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["CacheHead"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
        };
    };
    readonly listChanges: {
        readonly parameters: {
            readonly query: {
                /** @description The generation that the caller knows. */
                readonly since: components["parameters"]["since"];
                /** @description `values`: with users as they are (of an event, as they were and are, however long). Of events without it, as the deployment pushes them. */
                readonly include?: components["parameters"]["include"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Changes"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 410: components["responses"]["Gone"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 503: components["responses"]["ServiceUnavailable"];
        };
    };
    readonly headChanges: {
        readonly parameters: {
            readonly query: {
                /** @description The generation that the caller knows. */
                readonly since: components["parameters"]["since"];
                /** @description `values`: with users as they are (of an event, as they were and are, however long). Of events without it, as the deployment pushes them. */
                readonly include?: components["parameters"]["include"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["ChangesHead"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 410: components["responses"]["GoneHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
        };
    };
    readonly refreshCache: {
        readonly parameters: {
            readonly query?: {
                /** @description Whether to answer only when the directory was swept. */
                readonly wait?: boolean;
                /** @description Whether users who are missing from the origin's list are gone, however many they are, without each being asked for. For operators who know that it is so. */
                readonly believe?: boolean;
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Refreshed"];
            readonly 202: components["responses"]["RefreshAccepted"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 502: components["responses"]["BadGateway"];
            readonly 503: components["responses"]["ServiceUnavailable"];
            readonly 504: components["responses"]["GatewayTimeout"];
        };
    };
    readonly receiveWebhook: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header: {
                /** @description The HMAC-SHA256 of the exact body, with the client's webhook secret, in lower-case hex. */
                readonly "X-Cal-Signature-256": components["parameters"]["X-Cal-Signature-256"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        /** @description Any webhook of Cal.com's, of 256 KB at most. Read are hosts' ids and addresses, and attendees' addresses with the client's suffix. */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": Record<string, unknown>;
            };
        };
        readonly responses: {
            readonly 202: components["responses"]["WebhookAccepted"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["NotSigned"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 413: components["responses"]["ContentTooLarge"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 503: components["responses"]["ServiceUnavailable"];
        };
    };
    readonly getOpenapiDocument: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Document"];
            readonly 304: components["responses"]["DocumentNotModified"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
        };
    };
    readonly headOpenapiDocument: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["DocumentHead"];
            readonly 304: components["responses"]["DocumentNotModified"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
        };
    };
    readonly listPages: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Pages"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 503: components["responses"]["ServiceUnavailable"];
        };
    };
    readonly headPages: {
        readonly parameters: {
            readonly query?: {
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: never;
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["PagesHead"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
        };
    };
    readonly listEvents: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: the `cursor` of an answer, opaque and of one client; or the number of a generation, whose events were told already. Without it the answer is one baseline event of the newest generation. */
                readonly after?: components["parameters"]["after"];
                /** @description Most events in the answer. There may be fewer, even none, although there are more. */
                readonly limit?: components["parameters"]["eventLimit"];
                /** @description `values`: with users as they are (of an event, as they were and are, however long). Of events without it, as the deployment pushes them. */
                readonly include?: components["parameters"]["include"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["Events"];
            readonly 304: components["responses"]["EventsNotModified"];
            readonly 400: components["responses"]["BadRequest"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 410: components["responses"]["Gone"];
            readonly 429: components["responses"]["TooManyRequests"];
            readonly 500: components["responses"]["InternalServerError"];
            readonly 503: components["responses"]["ServiceUnavailable"];
        };
    };
    readonly headEvents: {
        readonly parameters: {
            readonly query?: {
                /** @description Where to go on: the `cursor` of an answer, opaque and of one client; or the number of a generation, whose events were told already. Without it the answer is one baseline event of the newest generation. */
                readonly after?: components["parameters"]["after"];
                /** @description Most events in the answer. There may be fewer, even none, although there are more. */
                readonly limit?: components["parameters"]["eventLimit"];
                /** @description `values`: with users as they are (of an event, as they were and are, however long). Of events without it, as the deployment pushes them. */
                readonly include?: components["parameters"]["include"];
                /** @description Accepted and ignored, because a published client sends it. */
                readonly clientId?: components["parameters"]["clientId"];
            };
            readonly header?: {
                /** @description Entity tags of answers that the caller has, compared weakly, or `*`. */
                readonly "If-None-Match"?: components["parameters"]["If-None-Match"];
            };
            readonly path: {
                /** @description The id of an OAuth client that the deployment's secret names. */
                readonly clientId: components["parameters"]["clientIdInPath"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            readonly 200: components["responses"]["EventsHead"];
            readonly 304: components["responses"]["EventsNotModified"];
            readonly 400: components["responses"]["BadRequestHead"];
            readonly 403: components["responses"]["ForbiddenHead"];
            readonly 404: components["responses"]["NotFoundHead"];
            readonly 405: components["responses"]["MethodNotAllowedHead"];
            readonly 410: components["responses"]["GoneHead"];
            readonly 429: components["responses"]["TooManyRequestsHead"];
            readonly 500: components["responses"]["InternalServerErrorHead"];
            readonly 503: components["responses"]["ServiceUnavailableHead"];
        };
    };
}
