/** Against the running service, of 501 demo users: API is its base URL, CLIENT the client's id. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client,
  InvalidRequestError,
  NotAskedError,
  NotFoundError,
  type Page,
} from "managed-users-client";

const { API, CLIENT = "" } = process.env;
const options = { skip: API === undefined && "API names no service" };

/** Return a client, and the status of each of its answers. */
function connected(): { client: Client; statuses: number[] } {
  const statuses: number[] = [];
  const client = new Client({
    url: `${API}/v2`,
    clientId: CLIENT,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      statuses.push(response.status);
      return response;
    },
  });
  return { client, statuses };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("everybody is seen once, and for nothing the second time", options, async () => {
  const { client, statuses } = connected();

  const first = await all(client.users());
  const second = await all(client.users());

  assert.equal(new Set(first.map(({ id }) => id)).size, 500);
  assert.deepEqual(second, first);
  assert.deepEqual(statuses, [200, 200, 304, 304]);
});

test("pages say where they are, and lead on", options, async () => {
  const { client } = connected();

  const pages = await all(client.pages({ limit: 200, sort: "-createdDate" }));

  assert.deepEqual(
    pages.map(({ users, next }) => [users.length, next !== null]),
    [
      [200, true],
      [200, true],
      [100, false],
    ],
  );
  assert.equal(pages[0]?.pagination.incompleteReason, "window-full");
  assert.match(pages[0]?.cacheStatus ?? "", /^managed-users; /);
});

test("fields are those that were asked for, for the compiler, too", options, async () => {
  const { client } = connected();

  const [user] = (await client.page({ limit: 1, fields: ["id", "timeZone"] })).users;
  assert.ok(user);
  const id: number = user.id;
  // @ts-expect-error -- it was not asked for.
  const name = user.name;

  assert.equal((await client.user(id)).timeZone, user.timeZone);
  assert.equal(name, undefined);
});

test("filters find whom they name", options, async () => {
  const { client } = connected();
  const [one, other] = (await client.page({ limit: 2 })).users;
  assert.ok(one && other);

  for (const filters of [
    { ids: [one.id, other.id] },
    { emails: [one.email, other.email] },
    { emails: [one.email.toUpperCase(), other.email], email_match: "folded" },
    { createdAfter: new Date(0), createdBefore: new Date(), limit: 2 },
    { ids: [one.id, other.id], metadata: { defaultConferencingApp: { appSlug: "no, none" } } },
  ] as const) {
    const { users } = await client.page(filters);
    assert.deepEqual(users, "metadata" in filters ? [] : [one, other]);
  }
});

test("a look-up tells whom nobody has, and is paged", options, async () => {
  const { client } = connected();
  const [one, other] = (await client.page({ limit: 2 })).users;
  assert.ok(one && other);
  const names = { ids: [one.id, other.id] };

  const first = await client.lookUp(names, { limit: 1, fields: ["id"] });
  assert.ok(first.next !== null);
  const second: Page<"id"> = await client.lookUp(names, first.next);

  assert.deepEqual([...first.users, ...second.users], [{ id: one.id }, { id: other.id }]);
  assert.equal(second.next, null);
  const { users, notFound } = await client.lookUp({ usernames: ["nobody", one.username ?? ""] });
  assert.deepEqual(users, [one]);
  assert.deepEqual(notFound, ["nobody"]);
});

test("whom nobody could be asked about is thrown", options, async () => {
  const { client } = connected();

  const asked = client.lookUp({ ids: [987654321] }, {}, { cacheControl: "only-if-cached" });

  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof NotAskedError);
    assert.deepEqual(error.notAsked, [987654321]);
    return true;
  });
});

test("what is stored, what changed and what a refresh came to are told", options, async () => {
  const { client } = connected();

  const refreshed = await client.refresh();
  const { generation, users, usersDigest } = await client.cache();
  const changes = await client.changes(generation);
  const page = await client.page({ min_generation: refreshed.generation, limit: 1 });

  assert.match(refreshed.outcome, /^(published|unchanged|joined)$/);
  assert.equal(users, 500);
  assert.deepEqual(changes, {
    since: generation,
    generation,
    usersDigest,
    created: [],
    discovered: [],
    updated: [],
    deleted: [],
  });
  assert.equal(page.users.length, 1);
  assert.equal((await client.refresh({ wait: false })).outcome, "accepted");
});

test("the origin is asked when it has to be", options, async () => {
  const { client } = connected();
  const [user] = (await client.page({ limit: 1 })).users;
  assert.ok(user);

  const { age } = await client.lookUp({ ids: [user.id] }, {}, { cacheControl: "no-cache" });

  assert.equal(age, null);
});

const REFUSED: [
  string,
  (client: Client) => Promise<unknown>,
  new (...args: never) => Error,
  RegExp,
][] = [
  ["an unknown user", (client) => client.user(987654321), NotFoundError, /987654321/],
  [
    "too large a page",
    (client) => client.page({ limit: 251 }),
    InvalidRequestError,
    /limit must not be greater than 250/,
  ],
  [
    "a misspelt filter",
    // @ts-expect-error -- the compiler says so, too.
    (client) => client.page({ timezone: "x" }),
    InvalidRequestError,
    /Did you mean 'timeZone'/,
  ],
  [
    "a list of nobody",
    (client) => client.page({ ids: [] }),
    InvalidRequestError,
    /'ids' has an empty member/,
  ],
  ["a look-up of nobody", (client) => client.lookUp({ emails: [] }), InvalidRequestError, /emails/],
  [
    "a generation that is to come",
    (client) => client.changes(99),
    InvalidRequestError,
    /above the newest generation/,
  ],
  [
    "a cursor of nobody's",
    (client) => client.page(next("limit=1&cursor=abc")),
    InvalidRequestError,
    /cursor/,
  ],
];
const next = (query: string): NonNullable<Page["next"]> => query as NonNullable<Page["next"]>;

for (const [what, ask, kind, message] of REFUSED) {
  test(`${what} is refused in the service's words`, options, async () => {
    const { client } = connected();

    await assert.rejects(ask(client), (error) => {
      assert.ok(error instanceof kind);
      assert.match(error.message, message);
      return true;
    });
  });
}
