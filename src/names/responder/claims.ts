/**
 * What a host claims on its links: its own name (RFC 6762), and the services that it offers (RFC 6763).
 */

import type { IpAddress } from '../../base/index.ts';
import type { OfferedService } from '../../port/index.ts';
import { type DnsRecord, RecordType } from '../message.ts';
import { escapeLabel, MAX_LABEL, reverseName } from '../name.ts';
import type { NameLink } from '../network.ts';
import { type Claim, HOST_TTL_SEC, OTHER_TTL_SEC, type OwnRecord, ownRecord } from './own-record.ts';

const LOCAL = 'local';
/** RFC 6763 §9: lists the types of services. */
const TYPES_NAME = `_services._dns-sd._udp.${LOCAL}`;

/** `<host>.local` with its addresses, and their reverse. */
export class HostClaim implements Claim {
  #label: string;
  #attempt = 1;

  /** @param label the host's name without domains */
  constructor(label: string) {
    this.#label = label;
  }

  get label(): string {
    return this.#attempt === 1 ? this.#label : withSuffix(this.#label, `-${this.#attempt}`);
  }

  get name(): string {
    return `${this.label}.${LOCAL}`;
  }

  rename(): void {
    this.#attempt++;
  }

  /** The host is called something else. */
  relabel(label: string): void {
    this.#label = label;
    this.#attempt = 1;
  }

  /** Only addresses that mean something on this link: its own (§14). */
  records({ addresses }: NameLink): OwnRecord[] {
    return addresses.flatMap((address) => [
      ownRecord(addressRecord(this.name, address), 'probed'),
      // Nobody else has the address, so nobody else has its reverse.
      ownRecord(pointer(reverseName(address), this.name, HOST_TTL_SEC), 'known'),
    ]);
  }
}

export class ServiceClaim implements Claim {
  readonly #service: OfferedService;
  readonly #host: HostClaim;
  #attempt = 1;
  /** What was made for which names: asked for much more often than these change. */
  #made: readonly OwnRecord[] = [];
  #madeFor = '';

  constructor(service: OfferedService, host: HostClaim) {
    this.#service = service;
    this.#host = host;
  }

  get instance(): string {
    const { instance } = this.#service;
    return this.#attempt === 1 ? instance : withSuffix(instance, ` (${this.#attempt})`);
  }

  get name(): string {
    return `${escapeLabel(this.instance)}.${this.#service.type}.${LOCAL}`;
  }

  rename(): void {
    this.#attempt++;
  }

  records(): readonly OwnRecord[] {
    const names = `${this.name} ${this.#host.name}`;
    if (this.#madeFor !== names) {
      this.#made = this.#makeRecords();
      this.#madeFor = names;
    }
    return this.#made;
  }

  #makeRecords(): OwnRecord[] {
    const { type, port, subtypes, texts } = this.#service;
    const { name } = this;
    const typeName = `${type}.${LOCAL}`;
    const location: DnsRecord = {
      kind: 'service',
      name,
      type: RecordType.SRV,
      ttl: HOST_TTL_SEC,
      priority: 0,
      weight: 0,
      port,
      target: this.#host.name,
    };
    // RFC 6763 §6.1: a TXT record without strings is one with an empty string.
    const said = texts.length === 0 ? [new Uint8Array(0)] : texts;
    return [
      ownRecord(location, 'probed'),
      ownRecord({ kind: 'text', name, type: RecordType.TXT, ttl: OTHER_TTL_SEC, texts: said }, 'probed'),
      ownRecord(pointer(typeName, name, OTHER_TTL_SEC), 'shared'),
      ...subtypes.map((subtype) =>
        ownRecord(pointer(`${subtype}._sub.${typeName}`, name, OTHER_TTL_SEC), 'shared'),
      ),
      ownRecord(pointer(TYPES_NAME, typeName, OTHER_TTL_SEC), 'shared'),
    ];
  }
}

function addressRecord(name: string, address: IpAddress): DnsRecord {
  const type = address.family === 4 ? RecordType.A : RecordType.AAAA;
  return { kind: 'address', name, type, ttl: HOST_TTL_SEC, address: address.inZone(0) };
}

function pointer(name: string, target: string, ttl: number): DnsRecord {
  return { kind: 'name', name, type: RecordType.PTR, ttl, target };
}

/** A label with something at its end, cut where it would grow too long, between characters. */
function withSuffix(label: string, suffix: string): string {
  const characters = [...label];
  while (Buffer.byteLength(characters.join('') + suffix) > MAX_LABEL) characters.pop();
  return characters.join('') + suffix;
}
