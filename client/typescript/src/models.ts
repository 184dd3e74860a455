/** What is asked and answered, derived from the service's own documents. Durations are seconds. */

import type { components, operations } from "./schema.js";

type Schemas = components["schemas"];
type ListQuery = NonNullable<operations["listManagedUsers"]["parameters"]["query"]>;
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** The name of a user's field. */
export type Field = NonNullable<ListQuery["fields"]>[number];

/**
 * A user in the origin's own names; with `fields`, only those. Others than `id`, `email` and
 * `createdDate` may be hidden by the deployment, or be too much to be kept: see `fieldsOmitted`.
 */
export type User<F extends Field = Field> = Required<
  Pick<Schemas["ManagedUser"], F & ("id" | "email" | "createdDate")>
> &
  Pick<Schemas["ManagedUser"], F | "fieldsOmitted">;

/** The parameters of a list: the service's own, as lists and values instead of texts. */
export interface Filters<F extends Field = Field>
  extends Omit<ListQuery, "clientId" | "cursor" | "emails[]" | keyof Richer<F>>,
    Richer<F> {}

interface Richer<F extends Field> {
  readonly emails?: string | readonly string[];
  readonly createdAfter?: string | Date;
  readonly createdBefore?: string | Date;
  readonly fields?: readonly F[];
  /** A value of each key; a list means any of its members. */
  readonly metadata?: Readonly<Record<string, Json>>;
}

/** Whom to look up: names of one kind, at most 250. */
export type Names = Schemas["Lookup"];

/** The query of the next page, whose users have the same fields. It holds for an hour. */
export type NextQuery<F extends Field = Field> = string & { readonly fields?: readonly F[] };

/** A window of a list. */
export interface Page<F extends Field = Field> {
  readonly users: readonly User<F>[];
  /** Where the window lies in the whole list, and whether that may lack users (`complete`). */
  readonly pagination: Schemas["Pagination"];
  /** Whom nobody has, of `emails`, `ids` or `usernames`, as they were written. */
  readonly notFound: readonly (string | number)[];
  /** How old the answer is; null if the origin was asked for this very request. */
  readonly age: number | null;
  /** How the answer was come by (RFC 9211). */
  readonly cacheStatus: string;
  /** What to ask `page` or `lookUp` for next; null if this is the last page. */
  readonly next: NextQuery<F> | null;
}

/** What is stored for a client, and how old it is. */
export type Cache = Schemas["Cache"]["data"];

/** What changed between two generations. */
export type Changes = Schemas["Changes"]["data"];

/** What came of a refresh; `accepted` if it was not waited for. */
export type Refreshed = Schemas["Refreshed"]["data"] | Schemas["RefreshAccepted"]["data"];

/** What a webhook delivers, told apart by `type`. */
export type ChangeEvent =
  | Schemas["UserCreatedEvent"]
  | Schemas["UserDiscoveredEvent"]
  | Schemas["UserUpdatedEvent"]
  | Schemas["UserDeletedEvent"]
  | Schemas["BaselineEvent"];
