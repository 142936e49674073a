/** What the parts of the control API say alike: an interface by index or name, what is not there, what the stack refuses. */

import type { InterfaceView, Stack } from '../stack/index.ts';
import { badRequest, RequestError } from './request-error.ts';

/** @throws {RequestError} when there is none */
export function interfaceNamed(stack: Stack, named: number | string): InterfaceView {
  const index = typeof named === 'number' ? named : /^\d+$/.test(named) ? Number(named) : 0;
  const found = stack.interfaces.find((view) => view.index === index || view.name === named);
  if (found === undefined) throw notThere(`interface ${named}`);
  return found;
}

/** Runs what the stack may refuse with a RangeError, which then is the asker's fault. */
export function asked(task: () => void): void {
  try {
    task();
  } catch (error) {
    throw error instanceof RangeError ? badRequest(error.message) : error;
  }
}

export function notThere(what: string): RequestError {
  return new RequestError(404, 'notFound', `there is no ${what}`);
}
