/**
 * What a host with an address of its own asks DHCPv4 servers: all that there is to know besides (RFC 2131 §3.4, §4.4.3).
 *
 *     INIT ── the interface has an address ──► INFORMING ── DHCPACK ──► INFORMED
 *
 * Only names are taken over: address and routes are the user's, and nothing has a lifetime. It is asked anew when the address
 * changes, and when the user wants to know.
 */

import type { IpAddress, TimerOwner } from '../../../base/index.ts';
import { BOOTREPLY, type DhcpV4Message, DhcpV4Type, DropReason } from '../../../wire/index.ts';
import type { DhcpV4Information, DhcpV4State, DhcpV4Status } from '../status.ts';
import type { DhcpSurroundings } from '../surroundings.ts';
import { answersClient } from './answers-client.ts';
import { V4Configuration } from './configuration.ts';
import { type ExchangeOptions, V4Exchange } from './exchange.ts';
import { readInformation } from './lease.ts';

/** §4.4.3: so often it is asked; then, where nobody has answered, not for a while, ms. */
const MOST_ATTEMPTS = 4;
const PAUSE_MS = 300_000;

export class DhcpV4Informer implements TimerOwner {
  readonly options: ExchangeOptions;
  readonly #around: DhcpSurroundings;
  readonly #configuration: V4Configuration;
  readonly #exchange: V4Exchange;
  #state: DhcpV4State = 'STOPPED';
  /** The address that is asked from; `null` while there is none. */
  #address: IpAddress | null = null;
  #information: DhcpV4Information | null = null;

  constructor(around: DhcpSurroundings, options: ExchangeOptions) {
    this.options = options;
    this.#around = around;
    this.#configuration = new V4Configuration(around.topology, options.interfaceIndex);
    this.#exchange = new V4Exchange(around, options, this, 0);
  }

  get status(): DhcpV4Status {
    return {
      mode: 'stateless',
      state: this.#state,
      lease: null,
      remembered: null,
      information: this.#information,
      attempts: this.#exchange.attempts,
      usesLinkLocal: false,
    };
  }

  get isActive(): boolean {
    return this.#state !== 'STOPPED';
  }

  start(): void {
    if (this.isActive) return;
    this.#state = 'INIT';
    this.addressesChanged();
  }

  /** Ends, and takes back what servers told. There is nothing to be released. */
  stop(): void {
    this.#rest('STOPPED');
    this.#address = null;
    this.#tell(null);
  }

  renew(): void {
    if (!this.isActive) this.start();
    else if (this.#address !== null) this.#ask();
  }

  release(): void {
    this.stop();
  }

  /** The link is there again, perhaps another one. */
  linkUp(): void {
    if (this.isActive) this.renew();
  }

  /** Nothing was granted that could be somebody else's. */
  conflict(): void {}

  close(): void {
    this.stop();
    this.#exchange.close();
  }

  /** Addresses have come, gone or changed their states. */
  addressesChanged(): void {
    if (!this.isActive) return;
    const address = this.#ownAddress();
    if (address === null ? this.#address === null : this.#address?.equals(address) === true) return;
    this.#address = address;
    if (address !== null) this.#ask();
    else {
      this.#rest('INIT');
      this.#tell(null);
    }
  }

  timeout(): void {
    if (this.#exchange.attempts >= MOST_ATTEMPTS) this.#ask();
    else this.#transmit();
  }

  /** Takes a message that came to the interface. @returns 0 or the `DropReason` */
  receive(message: DhcpV4Message): number {
    const isAnswer =
      message.op === BOOTREPLY && answersClient(message, this.#exchange.xid, this.options.identity);
    if (this.#state !== 'INFORMING' || !isAnswer || message.type !== DhcpV4Type.ack)
      return DropReason.dhcpUnexpected;
    const information = readInformation(message, this.#around.host.now);
    if (information === null) return DropReason.dhcpRefused;
    this.#rest('INFORMED');
    this.#tell(information);
    return DropReason.none;
  }

  #ask(): void {
    this.#state = 'INFORMING';
    this.#exchange.attempts = 0;
    this.#exchange.begin();
    this.#transmit();
  }

  #transmit(): void {
    const exchange = this.#exchange;
    exchange.attempts++;
    exchange.countSeconds();
    const ciaddr = this.#address?.w3 ?? 0;
    exchange.send({ type: DhcpV4Type.inform, ciaddr, requestedAddress: null, server: null }, null);
    if (exchange.attempts < MOST_ATTEMPTS) exchange.armRetry();
    else exchange.arm(PAUSE_MS);
  }

  #rest(state: DhcpV4State): void {
    this.#exchange.disarm();
    this.#exchange.attempts = 0;
    this.#state = state;
  }

  #tell(information: DhcpV4Information | null): void {
    this.#information = information;
    this.#configuration.setNames(information);
  }

  /** The first that the user has given the interface, and that may be used. */
  #ownAddress(): IpAddress | null {
    const iface = this.#around.topology.find(this.options.interfaceIndex);
    const held = iface?.addresses.find(
      ({ address, origin, state }) => address.family === 4 && origin === 'manual' && state === 'preferred',
    );
    return held?.address ?? null;
  }
}
