/**
 * Services that WSASetService offers on the links of the host, by DNS-SD: names such as `Print Room._ipp._tcp.local` (RFC 6763 §4.1).
 * Any other name is one of DNS, where nothing can be registered (NSP-REG-05).
 *
 * The port is that of the first address, or of the class; the blob is the TXT record's data. All addresses are the host's, so that
 * SERVICE_MULTIPLE makes no difference.
 */

import {
  portOfServiceClass,
  RNRSERVICE_REGISTER,
  readSockaddr,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../abi/index.ts';
import type { NamePort } from '../port/index.ts';
import type { Answer } from './types.ts';

/** An instance, its service type, and `local`. */
const INSTANCE = /^(.+?)\.(_[a-z0-9-]+\._(?:tcp|udp))(?:\.local)?\.?$/i;

export class ServiceOffers {
  readonly #names: NamePort;
  /** What `deregister` takes, by name. */
  readonly #ids = new Map<string, number>();

  constructor(names: NamePort) {
    this.#names = names;
  }

  /** NSPSetService. */
  set(info: WSAQUERYSET, essOperation: number): Answer {
    const match = INSTANCE.exec(info.lpszServiceInstanceName ?? '');
    if (match === null) return -WSAEOPNOTSUPP;
    const [, text = '', type = ''] = match;
    // Its dots may be escaped, as they are in results, or not (RFC 6763 §4.3).
    const instance = text.replaceAll('\\.', '.');
    const key = `${instance}.${type}`.toLowerCase();
    if (essOperation !== RNRSERVICE_REGISTER) return this.#takeBack(key);
    const port = portOf(info);
    const texts = info.lpBlob === null ? [] : textsOf(info.lpBlob);
    return port === 0 || texts === null ? -WSAEINVAL : this.#offer(key, instance, type, port, texts);
  }

  /** Takes everything back. */
  clear(): void {
    for (const id of this.#ids.values()) void this.#names.deregister(id);
    this.#ids.clear();
  }

  async #offer(
    key: string,
    instance: string,
    type: string,
    port: number,
    texts: readonly Uint8Array[],
  ): Promise<number> {
    // What was offered under this name is replaced.
    if (this.#ids.has(key)) await this.#takeBack(key);
    const { error, id } = await this.#names.register({ instance, type, subtypes: [], port, texts });
    if (error !== 0) return -error;
    this.#ids.set(key, id);
    return 0;
  }

  async #takeBack(key: string): Promise<number> {
    const id = this.#ids.get(key);
    if (id === undefined) return -WSASERVICE_NOT_FOUND;
    this.#ids.delete(key);
    const error = await this.#names.deregister(id);
    return error === 0 ? 0 : -error;
  }
}

function portOf({ lpcsaBuffer, dwNumberOfCsAddrs, lpServiceClassId }: WSAQUERYSET): number {
  const end = dwNumberOfCsAddrs > 0 ? lpcsaBuffer?.[0] : undefined;
  const address = end?.LocalAddr ?? end?.RemoteAddr ?? null;
  const port = address === null ? 0 : (readSockaddr(address)?.port ?? 0);
  return port !== 0 ? port : (portOfServiceClass(lpServiceClassId ?? '')?.port ?? 0);
}

/** The strings of a TXT record's data; `null` when a length leads out. */
function textsOf(data: Uint8Array): Uint8Array[] | null {
  const texts: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    const end = at + 1 + (data[at] as number);
    if (end > data.length) return null;
    if (end > at + 1) texts.push(data.slice(at + 1, end));
    at = end;
  }
  return texts;
}
