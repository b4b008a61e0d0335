const FIRST_MS = 100;
const LONGEST_MS = 5_000;
const ASKED_LONGEST_MS = 60_000;

/** Milliseconds to wait after so many failures: doubled each time, up to 5 s, half of it random; not less than asked. */
export function pauseMs(failures: number, askedS: number): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.max(bound * (0.5 + Math.random() / 2), Math.min(askedS * 1000, ASKED_LONGEST_MS));
}

/** The same as `setTimeout`, to be awaited. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
