/** What tests/client/test_typescript.py lets a Node process do; prints one JSON document. */
import { createServer as createWeb } from "node:http";
import { createServer } from "node:net";

import { BufferFull, limit, NotAllowed, NotDelivered, RequestRefused, VeloFlux } from "veloflux-client";
import type { Ask, Rejected } from "veloflux-client";

const url = process.env.VELOFLUX_URL!;
const apiKey = process.env.VELOFLUX_API_KEY!;
const timeoutMs = 20_000;
const data = { bytes: 2 };
const away = "http://127.0.0.1:9";

async function caught(call: () => unknown): Promise<any> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

async function check() {
  const client = new VeloFlux({ url, apiKey });
  const first = await client.check("requests", 3, { id: "request-1", timeoutMs });
  const again = await client.check("requests", 3, { id: "request-1", timeoutMs });
  const event = await client.check("requests", 1, { timeoutMs });
  client.events.record("http.request", { id: event.id, data });
  await client.close();
  const refused = await client.check("requests", 21, { timeoutMs });
  const thrown = await caught(() => client.checkOrThrow("requests", 21, { timeoutMs }));
  const wrong = await caught(() => client.check("no_such_meter", 1, { onFailure: "open", timeoutMs }));
  return {
    first,
    again: again.used,
    refused,
    thrown: thrown instanceof NotAllowed && thrown.decision.refusedBy,
    wrong: wrong instanceof RequestRefused && wrong.code,
    name: wrong.name,
  };
}

async function failure() {
  const silent = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address() as { port: number };
  const decisions = [];
  for (const url of [`http://127.0.0.1:${address.port}`, away]) {
    for (const onFailure of ["closed", "open"] as const) {
      const decision = await new VeloFlux({ url, apiKey }).check("requests", 1, { onFailure, timeoutMs: 100 });
      decisions.push([decision.allowed, decision.failed, decision.used]);
    }
  }
  silent.close();
  return decisions;
}

async function failedOpen() {
  const told = JSON.stringify({ allowed: true, used: null, failed_open: true });
  const web = createWeb((_, answer) => answer.setHeader("content-type", "application/json").end(told));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", () => resolve()));
  const { port } = web.address() as { port: number };
  const decision = await new VeloFlux({ url: `http://127.0.0.1:${port}`, apiKey }).check("requests", 1, { timeoutMs });
  web.closeAllConnections();
  web.close();
  return [decision.allowed, decision.failed, decision.used, decision.reason];
}

async function events() {
  const rejected: Rejected[] = [];
  const client = new VeloFlux({ url, apiKey, onRejected: (each) => rejected.push(each) });
  const ids = Array.from({ length: 1_200 }, () => client.events.record("http.request", { data }));
  client.events.record("http.request", { id: "bad", data: { bytes: "many" } });
  client.events.record("http.request", { id: "strange", apiKey: "vf_wrong", data });
  await client.events.flush(timeoutMs);
  return { ids: new Set(ids).size, pending: client.events.pending, rejected };
}

/** Ends with events in the buffer. */
async function exit() {
  const client = new VeloFlux({ url, apiKey });
  for (let number = 0; number < 3; number++) client.events.record("http.request", { data });
  return client.events.pending;
}

async function full() {
  const client = new VeloFlux({ url: away, apiKey, capacity: 1 });
  client.events.record("http.request");
  const refused = await caught(() => client.events.record("http.request"));
  const late = await caught(() => client.events.flush(50));
  const pending = client.events.pending;
  await client.events.close(0);
  return [refused instanceof BufferFull, late instanceof NotDelivered, pending];
}

async function kill() {
  const client = new VeloFlux({ url, apiKey });
  const ids = Array.from({ length: 8_000 }, () => client.events.record("http.request", { data }));
  const flushed = client.events.flush(300_000);
  while (client.events.pending === ids.length) await new Promise((resolve) => setTimeout(resolve, 1));
  console.error("underway");
  await flushed;
  return new Set(ids).size;
}

async function middleware() {
  const client = new VeloFlux({ url, apiKey: process.env.SERVICE_KEY! });
  const tenant = process.env.TENANT!;
  const asks: Record<string, Ask> = {
    "/": { meter: "requests", tenant, timeoutMs, event: "http.request", data },
    "/large": { meter: "requests", cost: 21, tenant, timeoutMs, event: "http.request", data },
    "/wrong": { meter: "requests", apiKey: "vf_wrong", timeoutMs },
  };
  const handler = limit(
    client,
    (request) => asks[new URL(request.url).pathname],
    (request) => (request.url.endsWith("/fetched") ? fetch(`${url}/healthz`) : new Response("hello")),
  );
  const answers = [];
  for (const path of ["/", "/", "/free", "/large", "/wrong"]) {
    const answer = await handler(new Request(`http://product${path}`));
    answers.push([answer.status, Object.fromEntries(answer.headers), await answer.text()]);
  }
  asks["/fetched"] = asks["/"]!;
  const fetched = await handler(new Request("http://product/fetched"));
  const pending = client.events.pending;
  const stopped = limit(new VeloFlux({ url: away, apiKey }), () => ({ timeoutMs: 50 }), () => new Response());
  const closed = await stopped(new Request("http://product/"));
  await client.close();
  return { answers, fetched: [fetched.status, fetched.headers.get("ratelimit")], pending, closed: closed.status };
}

async function limited() {
  const client = new VeloFlux({ url, apiKey });
  const ask = (cost: number): Ask => ({ meter: "requests", cost, timeoutMs, event: "http.request", data });
  const work = client.limited(ask, async (cost: number) => cost * 2);
  const done = await work(1);
  const refused = await caught(() => work(21));
  await client.close();
  return [done, refused instanceof NotAllowed];
}

async function reserve() {
  const client = new VeloFlux({ url, apiKey });
  const left = async () => (await client.check("requests", 1, { dryRun: true, timeoutMs })).remaining;
  const figures = [await left()];
  {
    await using reservation = await client.reserve("requests", 7, { timeoutMs });
    figures.push(await left());
    await reservation.commit(4);
  }
  figures.push(await left());
  await caught(async () => {
    await using _ = await client.reserve("requests", 3, { timeoutMs });
    figures.push(await left());
    throw new Error("a fault of the work");
  });
  figures.push(await left());
  const refused = await caught(() => client.reserve("requests", 1_001, { timeoutMs }));
  const service = new VeloFlux({ url, apiKey: process.env.SERVICE_KEY! });
  {
    await using reservation = await service.reserve("requests", 5, { tenant: process.env.TENANT!, timeoutMs });
    await reservation.commit(1);
  }
  figures.push(await left());
  return { figures, refused: refused instanceof NotAllowed };
}

const scenarios: Record<string, () => Promise<unknown>> = {
  check,
  failure,
  failedOpen,
  events,
  exit,
  full,
  kill,
  middleware,
  limited,
  reserve,
};
console.log(JSON.stringify(await scenarios[process.argv[2]!]!()));
