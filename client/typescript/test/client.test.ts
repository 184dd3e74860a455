/** How questions are written, and what pages come to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Filters, NotAskedError } from "managed-users-client";
import { CLIENT, PAGE, rig, USERS } from "./scripted.js";

const QUESTIONS: [Filters, string][] = [
  [{}, ""],
  [
    { limit: 2, offset: 0, sort: "-id", min_generation: 8 },
    "limit=2&min_generation=8&offset=0&sort=-id",
  ],
  [
    { ids: [1, 2], usernames: ["a"], fields: ["id", "name"] },
    "fields=id%2Cname&ids=1%2C2&usernames=a",
  ],
  [
    { emails: ["a+b@example.com", "c@example.com"] },
    "emails=a%2Bb%40example.com%2Cc%40example.com",
  ],
  [{ q: "a b" }, "q=a%20b"],
  [
    { createdAfter: new Date(0), createdBefore: "2026-01-31" },
    "createdAfter=1970-01-01T00%3A00%3A00.000Z&createdBefore=2026-01-31",
  ],
  [{ metadata: { plan: ["pro", "free"] } }, "metadata%5Bplan%5D=pro&metadata%5Bplan%5D=free"],
  [
    { metadata: { beta: true, seats: 5, gone: null, more: { a: 1 } } },
    "metadata%5Bbeta%5D=true&metadata%5Bgone%5D=null&metadata%5Bmore%5D=%7B%22a%22%3A1%7D&metadata%5Bseats%5D=5",
  ],
  [{ ids: [] }, "ids="],
];

for (const [filters, query] of QUESTIONS) {
  test(`${JSON.stringify(filters)} is asked as ?${query}`, async (context) => {
    const { client, asked } = await rig(context, [{}]);

    await client.page(filters);

    assert.equal(asked[0]?.url, USERS + (query && `?${query}`));
  });
}

test("what is undefined is not asked, whatever the compiler was told", async (context) => {
  const { client, asked } = await rig(context, [{}]);

  await client.page({ q: undefined } as unknown as Filters);

  assert.equal(asked[0]?.url, USERS);
});

test("none of a metadata's values is not everybody", async (context) => {
  const { client } = await rig(context, [{}]);

  await assert.rejects(client.page({ metadata: { plan: [] } }), /metadata.plan is an empty list/);
});

for (const [what, link, next] of [
  ["a whole question", "?limit=2&q=a%20b&cursor=c1", "cursor=c1&limit=2&q=a%20b"],
  ["no room for it", "?limit=2&cursor=c1", "cursor=c1&limit=2&q=asked"],
  ["the ids that answer it", "?limit=2&ids=1%2C2%2C3&cursor=c1", "cursor=c1&ids=1%2C2%2C3&limit=2"],
  ["a place by number", "?limit=2&q=asked&offset=2", "limit=2&offset=2&q=asked"],
  ["a question alone, by number", "?limit=2&offset=2", "limit=2&offset=2"],
] as const) {
  test(`a link with ${what} leads on`, async (context) => {
    const Link = `<?limit=2>; rel="first", <${link}>; rel="next"`;
    const { client, asked } = await rig(context, [{ headers: { Link } }, {}]);

    const page = await client.page({ limit: 2, offset: 0, min_generation: 3, q: "asked" });
    assert.ok(page.next !== null);
    const last = await client.page(page.next);

    assert.equal(page.next, next);
    assert.equal(asked[1]?.url, `${USERS}?${next}`);
    assert.equal(last.next, null);
  });
}

test("the next page of a look-up is asked with the same names", async (context) => {
  const Link = '<?limit=1&cursor=c1>; rel="next"';
  const { client, asked } = await rig(context, [{ headers: { Link } }, {}]);
  const names = { emails: ["a@example.com", "b@example.com"] };

  const { next } = await client.lookUp(names, { limit: 1 });
  assert.ok(next !== null);
  await client.lookUp(names, next);

  assert.deepEqual(
    asked.map(({ method, url, body }) => [method, url, JSON.parse(body)]),
    [
      ["POST", `${USERS}/lookup?limit=1`, names],
      ["POST", `${USERS}/lookup?cursor=c1&limit=1`, names],
    ],
  );
});

test("whom nobody could be asked about cannot be overlooked", async (context) => {
  const body = { ...PAGE, data: [{ id: 1 }], notFound: [2], notAsked: [3] };
  const { client } = await rig(context, [{ body }]);

  for (const ask of [
    () => client.page({ ids: [1, 2, 3] }),
    () => client.lookUp({ ids: [1, 2, 3] }),
    () => client.users({ ids: [1, 2, 3] }).next(),
  ]) {
    await assert.rejects(ask, (error) => {
      assert.ok(error instanceof NotAskedError);
      assert.deepEqual(error.notAsked, [3]);
      assert.deepEqual(error.page.users, [{ id: 1 }]);
      assert.deepEqual(error.page.notFound, [2]);
      return true;
    });
  }
});

test("the origin's validator is quoted where its message says nothing", async (context) => {
  const constraints = { max: "limit must not be greater than 250" };
  const error = { message: "Bad Request Exception", details: { errors: [{ constraints }] } };
  const { client } = await rig(context, [{ status: 400, body: { error } }]);

  await assert.rejects(client.page({ limit: 251 }), { message: constraints.max });
});

test("a base URL may end in a slash, and a client id is escaped", async (context) => {
  const { asked, client } = await rig(context, [{}]);
  const urls: string[] = [];
  const { Client } = await import("managed-users-client");
  const other = new Client({
    url: "https://users.example.com/v2/",
    clientId: "a/b",
    fetch: async (url) => {
      urls.push(url);
      return Response.json(PAGE);
    },
  });

  await other.page();
  await client.page();

  assert.deepEqual(urls, ["https://users.example.com/v2/oauth-clients/a%2Fb/users"]);
  assert.equal(asked[0]?.url, `/v2/oauth-clients/${CLIENT}/users`);
});
