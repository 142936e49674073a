/**
 * What a program gives where a number, bytes or a place is expected can be anything in JavaScript. Functions of the API that answer
 * numbers for wrong arguments, not exceptions, look at theirs with these.
 */

/** A number as it is, a boolean as 0 or 1, anything else as NaN, which bit operations take for 0. */
export function asNumber(value: unknown): number {
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** A bigint as it is, a whole number as one, anything else as 0. */
export function asBigInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  return Number.isSafeInteger(value) ? BigInt(value as number) : 0n;
}

/** Whether something is an array of bytes with at least `length` of them. */
export function isBytes(value: unknown, length = 0): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= length;
}

/** Whether something has a `value` that can be written. */
export function isPlace(value: unknown): value is { value: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Reflect.set(value, 'value', Reflect.get(value, 'value'));
  } catch {
    return false;
  }
}

/** What something says of itself, for people: whatever was thrown or answered. It never throws, and is not long. */
export function describeValue(value: unknown): string {
  try {
    const text = value instanceof Error ? `${value.name}: ${value.message}` : String(value);
    return text.length > DESCRIBED ? `${text.slice(0, DESCRIBED)}…` : text;
  } catch {
    return 'something that cannot be shown';
  }
}

/** Characters of a description. */
const DESCRIBED = 300;
