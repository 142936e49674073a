/** Lifetimes of what routers advertise: an entry is gone when its time is up. */

/** Something that ends at `until`, stack time in ms; `Infinity`: never. */
export interface Mortal {
  readonly until: number;
}

/** A part of autoconfiguration: does what is due at `now`. @returns when it wants to be called next; `Infinity`: not by itself */
export interface Part {
  run(now: number): number;
}

/** A part that holds something, which {@link clear} takes back. */
export interface Holding {
  clear(): void;
}

/** Takes out of `entries` what has ended. @returns what was taken out */
export function removeEnded<T extends Mortal>(entries: T[], now: number): T[] {
  const ended = entries.filter(({ until }) => until <= now);
  if (ended.length > 0) entries.splice(0, entries.length, ...entries.filter(({ until }) => until > now));
  return ended;
}

/** When the first of `entries` ends. */
export function firstEnd(entries: readonly Mortal[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { until } of entries) first = Math.min(first, until);
  return first;
}
