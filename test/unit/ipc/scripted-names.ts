/** A `NamePort` for the tests of `ipc/`: answers what it was told to, and pends on names that begin with `wait`. */

import type { IpAddress } from '../../../src/base/index.ts';
import {
  type NameAnswer,
  type NamePort,
  type NameQuery,
  type NameQueryOptions,
  noAnswer,
  type OfferedService,
  type OwnHost,
  type RegisterAnswer,
} from '../../../src/port/index.ts';

export class ScriptedNames implements NamePort {
  readonly asked: (NameQuery | { address: IpAddress; options: NameQueryOptions })[] = [];
  readonly answers = new Map<string, NameAnswer>();
  readonly offered: OfferedService[] = [];
  own: OwnHost | null = null;
  cancelled = 0;
  pending = 0;
  renamed: string[] = [];
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

  register(service: OfferedService, signal?: AbortSignal): Promise<RegisterAnswer> {
    this.offered.push(service);
    const { instance } = service;
    if (!instance.startsWith('wait'))
      return Promise.resolve({ error: 0, id: 7, instance: `${instance} (2)` });
    return this.#answer(instance, signal).then(({ error }) => ({ error, id: 0, instance }));
  }

  deregister(id: number): Promise<number> {
    return Promise.resolve(id === 7 ? 0 : 10_108);
  }

  rename(name: string): Promise<number> {
    this.renamed.push(name);
    return Promise.resolve(name === 'refused' ? 10_013 : 0);
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
