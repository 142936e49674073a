/** A `NamePort` for the tests of `ipc/`: answers what it was told to, and pends on names that begin with `wait`. */

import type { IpAddress } from '../../../src/base/index.ts';
import {
  type NameAnswer,
  type NamePort,
  type NameQuery,
  type NameQueryOptions,
  noAnswer,
  type OwnHost,
} from '../../../src/port/index.ts';

export class ScriptedNames implements NamePort {
  readonly asked: (NameQuery | { address: IpAddress; options: NameQueryOptions })[] = [];
  readonly answers = new Map<string, NameAnswer>();
  own: OwnHost | null = null;
  cancelled = 0;
  pending = 0;
  isClosed = false;

  resolve(query: NameQuery, signal?: AbortSignal): Promise<NameAnswer> {
    this.asked.push(query);
    return this.#answer(query.name, signal);
  }

  reverse(address: IpAddress, options: NameQueryOptions = {}, signal?: AbortSignal): Promise<NameAnswer> {
    this.asked.push({ address, options });
    return this.#answer(address.toString(), signal);
  }

  host(): Promise<OwnHost | null> {
    return Promise.resolve(this.own);
  }

  close(): void {
    this.isClosed = true;
  }

  #answer(name: string, signal: AbortSignal | undefined): Promise<NameAnswer> {
    if (name === 'throw') return Promise.reject(new Error('a bug'));
    if (!name.startsWith('wait')) return Promise.resolve(this.answers.get(name) ?? noAnswer(name));
    this.pending++;
    return new Promise((resolve) => {
      signal?.addEventListener('abort', () => {
        this.cancelled++;
        this.pending--;
        resolve(noAnswer(name, 10_111, 'cancelled'));
      });
    });
  }
}
