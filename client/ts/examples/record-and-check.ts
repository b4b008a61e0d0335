/** Ask before the work, tell what was used after it. */
import { VeloFlux } from "veloflux-client";

const client = new VeloFlux({ url: process.env.VELOFLUX_URL!, apiKey: process.env.VELOFLUX_API_KEY! });
const decision = await client.check("requests", 1, { onFailure: "open" });
if (decision.allowed) {
  client.events.record("http.request", { data: { bytes: 512 } });
}
console.log(`allowed=${decision.allowed} remaining=${decision.remaining}`);
