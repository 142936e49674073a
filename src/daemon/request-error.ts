/** What a control request may not be, and how it is said. */

import type { z } from 'zod';

/** A request that cannot be served as it is. */
export class RequestError extends Error {
  override readonly name: string = 'RequestError';
  readonly statusCode: number;
  /** Stable, for programs. */
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** What a request says. @throws {RequestError} 400 that names the field. */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badRequest(`${issue?.path.join('.') || 'body'}: ${issue?.message}`);
}

export function badRequest(message: string): RequestError {
  return new RequestError(400, 'badRequest', message);
}
