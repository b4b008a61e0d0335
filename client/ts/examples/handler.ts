/** A handler that answers each customer as often as the customer's plan allows. */
import { limit, VeloFlux } from "veloflux-client";

const client = new VeloFlux({ url: process.env.VELOFLUX_URL!, apiKey: process.env.VELOFLUX_API_KEY! });

const asking = { meter: "requests", event: "http.request", data: { bytes: 6 }, timeoutMs: 5_000 };
const keyOf = (request: Request) => request.headers.get("authorization")?.replace("Bearer ", "") ?? "none";

export default {
  fetch: limit(
    client,
    (request) => ({ ...asking, apiKey: keyOf(request) }),
    () => new Response("hello\n"),
  ),
};
