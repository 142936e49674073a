/**
 * The services and protocol databases: what getservbyname, getservbyport, getprotobyname and getprotobynumber look into.
 *
 * A user's `services` file comes before the built-in list: lines of `name port/protocol alias …`, `#` starts a comment; a line
 * that is none is counted and skipped. Names are compared without case.
 */

import type { protoent, servent } from '../abi/index.ts';
import { WELL_KNOWN_PROTOCOLS, WELL_KNOWN_SERVICES } from './services-file.ts';

/** A service; `port` in host order. */
export interface ServiceEntry {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly aliases: readonly string[];
}

/** Most lines of a user's file that are kept. */
const ENTRIES_MAX = 65_536;

export class ServiceTable {
  /** Lines of the user's file that say nothing. */
  readonly badLines: number;
  readonly #byName = new Map<string, ServiceEntry>();
  readonly #byPort = new Map<string, ServiceEntry>();

  /** @param file the text of a `services` file, which wins over the built-in list */
  constructor(file = '') {
    const own = parseServices(file);
    this.badLines = own.badLines;
    for (const entry of [...own.entries, ...parseServices(WELL_KNOWN_SERVICES).entries]) this.#add(entry);
  }

  /** The service of a name or alias; the first one in the file for `null`. */
  byName(name: string, protocol: string | null): ServiceEntry | null {
    return this.#byName.get(`${name.toLowerCase()}/${protocol?.toLowerCase() ?? ''}`) ?? null;
  }

  /** The service at a port in host order. */
  byPort(port: number, protocol: string | null): ServiceEntry | null {
    return this.#byPort.get(`${port}/${protocol?.toLowerCase() ?? ''}`) ?? null;
  }

  /** The first line that names something wins. */
  #add(entry: ServiceEntry): void {
    const { name, port, protocol, aliases } = entry;
    for (const kind of [protocol.toLowerCase(), '']) {
      addOnce(this.#byPort, `${port}/${kind}`, entry);
      for (const each of [name, ...aliases]) addOnce(this.#byName, `${each.toLowerCase()}/${kind}`, entry);
    }
  }
}

function addOnce(map: Map<string, ServiceEntry>, key: string, entry: ServiceEntry): void {
  if (!map.has(key)) map.set(key, entry);
}

/** The same as Winsock gives it. */
export function serventOf({ name, port, protocol, aliases }: ServiceEntry): servent {
  return {
    s_name: name,
    s_aliases: [...aliases],
    s_port: ((port & 0xff) << 8) | (port >>> 8),
    s_proto: protocol,
  };
}

const PROTOCOLS: readonly protoent[] = wordsOf(WELL_KNOWN_PROTOCOLS).map(
  ([p_name = '', number = '', ...p_aliases]) => ({ p_name, p_aliases, p_proto: Number(number) }),
);

/** The protocol of a name, or another name of it; a copy of its own. */
export function protocolByName(name: string): protoent | null {
  const wanted = name.toLowerCase();
  const found = PROTOCOLS.find(
    ({ p_name, p_aliases }) => p_name === wanted || p_aliases.some((alias) => alias.toLowerCase() === wanted),
  );
  return found === undefined ? null : { ...found, p_aliases: [...found.p_aliases] };
}

/** The protocol of a number; a copy of its own. */
export function protocolByNumber(number: number): protoent | null {
  const found = PROTOCOLS.find(({ p_proto }) => p_proto === number);
  return found === undefined ? null : { ...found, p_aliases: [...found.p_aliases] };
}

function parseServices(text: string): { readonly entries: ServiceEntry[]; readonly badLines: number } {
  const entries: ServiceEntry[] = [];
  let badLines = 0;
  for (const [name = '', place = '', ...aliases] of wordsOf(text)) {
    const match = /^(\d{1,5})\/([\w,-]+)$/.exec(place);
    if (match === null || Number(match[1]) > 65535 || entries.length >= ENTRIES_MAX) {
      badLines++;
      continue;
    }
    for (const protocol of (match[2] as string).split(',')) {
      entries.push({ name, port: Number(match[1]), protocol: protocol.toLowerCase(), aliases });
    }
  }
  return { entries, badLines };
}

/** The words of each line that has any. */
function wordsOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/));
}
