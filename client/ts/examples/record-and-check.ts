/** Ask before the work, tell what was used after it; of one id, both count once. */
import { VeloFlux } from "veloflux-client";

const client = new VeloFlux({ url: process.env.VELOFLUX_URL!, apiKey: process.env.VELOFLUX_API_KEY! });
const decision = await client.check("requests", 1, { onFailure: "open", timeoutMs: 5_000 });
if (decision.allowed) {
  client.events.record("http.request", { id: decision.id, data: { bytes: 512 } });
}
console.log(`allowed=${decision.allowed} remaining=${decision.remaining}`);
