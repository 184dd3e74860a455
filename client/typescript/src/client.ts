/** The client: one method a question. Its words are those of the service's docs/api.md. */

import { NotAskedError } from "./errors.js";
import type {
  Cache,
  Changes,
  Field,
  Filters,
  Names,
  NextQuery,
  Page,
  Refreshed,
  User,
} from "./models.js";
import { nextOf, parametersOf, queryOf } from "./query.js";
import type { components } from "./schema.js";
import {
  type Answer,
  type Question,
  type ReadOptions,
  type RequestOptions,
  Transport,
  type TransportOptions,
} from "./transport.js";

type UserList = components["schemas"]["UserList"];

const LARGEST_PAGE = 250;

/** Which service, which OAuth client, and how requests are sent. */
export interface ClientOptions extends TransportOptions {
  /** The base URL, `/v2` included. */
  readonly url: string;
  readonly clientId: string;
}

/** What to refresh. */
export interface RefreshOptions extends RequestOptions {
  /** Whether to return only when every later read sees what the origin said. Default: true. */
  readonly wait?: boolean;
  /** Whether users who are missing from the origin's list are gone, however many they are. */
  readonly believe?: boolean;
}

/**
 * Asks for the managed users of one OAuth client.
 *
 * Every method throws a `ManagedUsersError`, or the reason of the `signal` that aborted it.
 */
export class Client {
  readonly #base: string;
  readonly #transport: Transport;

  constructor({ url, clientId, ...options }: ClientOptions) {
    const base = new URL(url).href.replace(/\/+$/, "");
    this.#base = `${base}/oauth-clients/${encodeURIComponent(clientId)}`;
    this.#transport = new Transport(options);
  }

  /** Return one window of the list: of filters, or of what another page named as its `next`. */
  async page<F extends Field = Field>(
    query: Filters<F> | NextQuery<F> = {},
    options: ReadOptions = {},
  ): Promise<Page<F>> {
    const asked = parametersOf(query);
    return pageOf(asked, await this.#send("/users", asked, { ...options, method: "GET" }));
  }

  /** Yield the list page by page, all of one generation. */
  async *pages<F extends Field = Field>(
    filters: Filters<F> = {},
    options: ReadOptions = {},
  ): AsyncGenerator<Page<F>, void, undefined> {
    let query: Filters<F> | NextQuery<F> | null = { limit: LARGEST_PAGE, ...filters };
    while (query !== null) {
      const page: Page<F> = await this.page(query, options);
      yield page;
      query = page.next;
    }
  }

  /** Yield every user of the list once, all of one generation. */
  async *users<F extends Field = Field>(
    filters: Filters<F> = {},
    options: ReadOptions = {},
  ): AsyncGenerator<User<F>, void, undefined> {
    for await (const page of this.pages(filters, options)) yield* page.users;
  }

  /** Return one user. */
  user<F extends Field = Field>(
    id: number,
    query: Pick<Filters<F>, "fields" | "min_generation"> = {},
    options: ReadOptions = {},
  ): Promise<User<F>> {
    return this.#data(`/users/${id}`, parametersOf(query), { ...options, method: "GET" });
  }

  /** Return the users with these names, which are in no URL and in no log on the way. */
  async lookUp<F extends Field = Field>(
    names: Names,
    query: Omit<Filters<F>, "emails" | "ids" | "usernames"> | NextQuery<F> = {},
    options: ReadOptions = {},
  ): Promise<Page<F>> {
    const asked = parametersOf(query);
    const question = { ...options, method: "POST", body: JSON.stringify(names) } as const;
    return pageOf(asked, await this.#send("/users/lookup", asked, question));
  }

  /** Return what is stored, and how old it is. */
  cache(options: RequestOptions = {}): Promise<Cache> {
    return this.#data("/cache", new URLSearchParams(), { ...options, method: "GET" });
  }

  /** Return what changed after generation `since`. */
  changes(since: number, options: RequestOptions = {}): Promise<Changes> {
    const asked = new URLSearchParams({ since: String(since) });
    return this.#data("/cache/changes", asked, { ...options, method: "GET" });
  }

  /** Have the origin asked. */
  refresh({ wait = true, believe = false, ...options }: RefreshOptions = {}): Promise<Refreshed> {
    const asked = new URLSearchParams({ wait: String(wait), believe: String(believe) });
    return this.#data("/cache/refresh", asked, { ...options, method: "POST" });
  }

  async #data<Data>(path: string, asked: URLSearchParams, question: Question): Promise<Data> {
    return (await this.#send<{ data: Data }>(path, asked, question)).body.data;
  }

  #send<Body>(path: string, asked: URLSearchParams, question: Question): Promise<Answer<Body>> {
    const query = queryOf(asked);
    return this.#transport.send(`${this.#base}${path}${query && `?${query}`}`, question);
  }
}

function pageOf<F extends Field>(asked: URLSearchParams, answer: Answer<UserList>): Page<F> {
  const { data, pagination, notFound = [], notAsked = [] } = answer.body;
  const age = answer.headers.get("Age");
  const page: Page<F> = {
    users: data as readonly User<F>[],
    pagination,
    notFound,
    age: age === null ? null : Number(age),
    cacheStatus: answer.headers.get("Cache-Status") ?? "",
    next: nextOf(answer.link, asked) as NextQuery<F> | null,
  };
  if (notAsked.length > 0) throw new NotAskedError(notAsked, page);
  return page;
}
