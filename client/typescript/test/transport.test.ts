/** What is sent again, what is conditional, what is thrown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AnswerError,
  ConnectionFailedError,
  ForbiddenError,
  GoneError,
  InvalidRequestError,
  NotFoundError,
  type StoredAnswer,
  UnavailableError,
} from "managed-users-client";
import { BROKEN, PAGE, rig, SILENT } from "./scripted.js";

const REFUSED = {
  status: "error",
  requestId: "request-1",
  error: { code: "ServiceUnavailableException", message: "the origin blocks", details: {} },
};
const BUSY = {
  status: 503,
  headers: {
    "Retry-After": "0",
    "Cache-Status": "managed-users; fwd=uri-miss; detail=origin-blocked",
  },
  body: REFUSED,
};
const TAGGED = { headers: { ETag: 'W/"2-a"' } };
const NOT_MODIFIED = { status: 304, headers: { ETag: 'W/"2-a"', Age: "7" } };

test("an error that says when to come again is asked again", async (context) => {
  const { client, asked } = await rig(context, [BUSY, BUSY, {}]);

  await client.page();

  assert.equal(asked.length, 3);
});

test("an error that does not say so is thrown at once, in the service's words", async (context) => {
  const { "Cache-Status": status } = BUSY.headers;
  const { client, asked } = await rig(context, [{ ...BUSY, headers: { "Cache-Status": status } }]);

  await assert.rejects(client.page(), (error) => {
    assert.ok(error instanceof UnavailableError);
    assert.equal(error.message, "the origin blocks");
    assert.equal(error.reason, "origin-blocked");
    assert.equal(error.requestId, "request-1");
    assert.equal(error.retryAfter, null);
    return true;
  });
  assert.equal(asked.length, 1);
});

test("nobody waits beyond his patience", async (context) => {
  const { client, asked } = await rig(context, [{ ...BUSY, headers: { "Retry-After": "61" } }]);

  await assert.rejects(client.page(), { name: "UnavailableError", retryAfter: 61 });

  assert.equal(asked.length, 1);
});

test("Retry-After may be a date", async (context) => {
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  const { client } = await rig(context, [{ ...BUSY, headers: { "Retry-After": date } }]);

  await assert.rejects(client.page(), (error) => {
    assert.ok(error instanceof UnavailableError);
    assert.ok(error.retryAfter !== null && error.retryAfter > 60 && error.retryAfter <= 3600);
    return true;
  });
});

test("a broken connection is tried twice more", async (context) => {
  const { client, asked } = await rig(context, [BROKEN, BROKEN, {}]);

  await client.page();

  assert.equal(asked.length, 3);
});

test("no answer at all is told without the URL, which may hold addresses", async (context) => {
  const { client, asked } = await rig(context, [BROKEN]);

  await assert.rejects(client.page({ emails: "canary@example.com" }), (error) => {
    assert.ok(error instanceof ConnectionFailedError);
    assert.equal(error.message, "no answer from the service: UND_ERR_SOCKET");
    assert.doesNotMatch(`${error.stack} ${(error.cause as Error).stack}`, /canary/);
    return true;
  });
  assert.equal(asked.length, 3);
});

test("an attempt ends when its time is over", async (context) => {
  const { client } = await rig(context, [SILENT], { timeoutSeconds: 0.05, patienceSeconds: 0 });

  await assert.rejects(client.page(), { message: "no answer from the service: TimeoutError" });
});

for (const [status, kind] of [
  [400, InvalidRequestError],
  [401, ForbiddenError],
  [403, ForbiddenError],
  [404, NotFoundError],
  [405, InvalidRequestError],
  [410, GoneError],
  [418, AnswerError],
  [429, UnavailableError],
  [500, UnavailableError],
  [502, UnavailableError],
  [504, UnavailableError],
] as const) {
  test(`a ${status} is a ${kind.name}`, async (context) => {
    const { client } = await rig(context, [{ status, body: { message: "Forbidden" } }]);

    await assert.rejects(client.cache(), (error) => {
      assert.ok(error instanceof AnswerError);
      assert.equal(error.constructor, kind);
      assert.equal(error.name, kind.name);
      assert.equal(error.message, "Forbidden");
      return true;
    });
  });
}

for (const [what, told] of [
  ["a page of HTML", { body: "<html>" }],
  ["another service's JSON", { body: { status: "up" } }],
  ["a redirection", { status: 302, headers: { Location: "http://127.0.0.1:9/" }, body: "" }],
  ["a 304 to nobody's question", NOT_MODIFIED],
] as const) {
  test(`${what} is an error`, async (context) => {
    const { client, asked } = await rig(context, [told]);

    await assert.rejects(client.page(), { name: "AnswerError" });

    assert.equal(asked.length, 1);
  });
}

test("whoever gives up is told his own reason", async (context) => {
  const { client, asked } = await rig(context, [SILENT]);
  const reason = new Error("enough");

  await assert.rejects(client.page({}, { signal: AbortSignal.abort(reason) }), reason);

  assert.equal(asked.length, 0);
});

test("giving up ends an attempt", async (context) => {
  const { client } = await rig(context, [SILENT]);

  await assert.rejects(client.page({}, { signal: AbortSignal.timeout(50) }), {
    name: "TimeoutError",
  });
});

test("giving up ends a pause", async (context) => {
  const { client } = await rig(context, [{ ...BUSY, headers: { "Retry-After": "59" } }]);

  await assert.rejects(client.page({}, { signal: AbortSignal.timeout(200) }), {
    name: "TimeoutError",
  });
});

test("what is known is asked for conditionally, and nobody asks the origin for it", async (context) => {
  const body = { ...PAGE, data: [{ id: 1 }] };
  const { client, asked } = await rig(context, [{ ...TAGGED, body }, NOT_MODIFIED]);

  const [first, second] = [await client.page(), await client.page()];

  assert.equal(asked[1]?.headers["if-none-match"], 'W/"2-a"');
  assert.equal(asked[1]?.headers["cache-control"], "no-transform");
  assert.deepEqual(second, { ...first, age: 7 });
  assert.notEqual(second.users, first.users);
});

test("a 304 that has no links leaves those of the answer before", async (context) => {
  const Link = '<?limit=2&cursor=c1>; rel="next"';
  const first = { headers: { ...TAGGED.headers, Link } };
  const { client } = await rig(context, [first, NOT_MODIFIED]);

  await client.page();

  assert.equal((await client.page()).next, "cursor=c1&limit=2");
});

test("links that are about to expire are asked for anew", async (context) => {
  const old = Date.now() - 31 * 60 * 1000;
  const link = '<?limit=2&cursor=c1>; rel="next"';
  const answer = { etag: 'W/"2-a"', body: JSON.stringify(PAGE), link, linkedAt: old };
  const cache = { get: () => answer, set: () => undefined };
  const { client, asked } = await rig(context, [{}], { cache });

  assert.equal((await client.page()).next, null);

  assert.equal(asked[0]?.headers["if-none-match"], undefined);
});

test("a cache may be a Map, and keep what it has as JSON", async (context) => {
  const cache = new Map<string, StoredAnswer>();
  const { client, asked } = await rig(context, [TAGGED, NOT_MODIFIED], { cache });
  await client.page();

  for (const [url, answer] of cache) cache.set(url, JSON.parse(JSON.stringify(answer)));

  assert.equal((await client.page()).age, 7);
  assert.deepEqual(
    asked.map(({ headers }) => headers["if-none-match"]),
    [undefined, 'W/"2-a"'],
  );
});

test("of 129 answers, the one that was not asked for longest is forgotten", async (context) => {
  const answers = [...Array(128).fill(TAGGED), NOT_MODIFIED, TAGGED];
  const { client, asked } = await rig(context, answers);
  for (let id = 1; id <= 128; id += 1) await client.user(id);
  await client.user(1);
  await client.user(129);
  asked.length = 0;

  for (const id of [1, 2, 129]) await client.user(id);

  assert.deepEqual(
    asked.map(({ headers }) => headers["if-none-match"] !== undefined),
    [true, false, true],
  );
});
