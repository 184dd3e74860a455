/** A service on loopback that answers with what it was told, in order, and keeps what it was asked. */

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { Client, type ClientOptions } from "managed-users-client";

export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is if it is a text, as JSON if not. */
  readonly body?: unknown;
}

/** Ends the connection without an answer; leaves the request without one. */
export const BROKEN = "broken";
export const SILENT = "silent";

export interface Asked {
  readonly method: string | undefined;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Rig {
  readonly client: Client;
  /** In order; a test may empty it. */
  readonly asked: Asked[];
}

export const PAGE = { status: "success", data: [], pagination: {} };
export const CLIENT = "client1";
export const USERS = `/v2/oauth-clients/${CLIENT}/users`;

/** Return a client of a service that gives `answers`; the last one as often as it is asked. */
export async function rig(
  context: TestContext,
  answers: readonly (Told | typeof BROKEN | typeof SILENT)[],
  options: Partial<ClientOptions> = {},
): Promise<Rig> {
  const asked: Asked[] = [];
  let count = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url = "", headers } = request;
    const told = answers[Math.min(count++, answers.length - 1)];
    asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    if (told === SILENT || told === undefined) return;
    if (told === BROKEN) return void request.socket.destroy();
    const { status = 200, body = PAGE } = told;
    response.writeHead(status, { "Content-Type": "application/json", ...told.headers });
    response.end(
      status === 304 ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`;
  return { client: new Client({ url, clientId: CLIENT, ...options }), asked };
}
