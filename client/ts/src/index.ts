export { VeloFlux, type Asked, type CheckOptions, type Options, type ReserveOptions } from "./client.ts";
export { BufferFull, NotAllowed, NotDelivered, RequestRefused, Unavailable, VeloFluxError } from "./errors.ts";
export type { Events, EventOptions } from "./events.ts";
export { limit, type Ask, type Handler } from "./middleware.ts";
export type { CloudEvent, Decision, OnFailure, Rate, Rejected } from "./model.ts";
export type { Reservation } from "./reservation.ts";
