/**
 * The DHCPv4 client of one interface: the state machine of RFC 2131 §4.4.
 *
 *                    ┌────────── DHCPNAK, expiry, DECLINE + 10 s ───────────┐
 *      INIT → SELECTING → REQUESTING → CHECKING → BOUND → RENEWING → REBINDING
 *         REBOOTING ───────┴──────────────┘          └───────┴─ DHCPACK ┘
 *
 * It has no socket: messages leave as packets of the host and arrive before endpoints are looked for, also those for an
 * address that the interface does not have yet (§4.1).
 *
 * Deviation: RFC 2131 §4.4.1 has a client wait for one to ten seconds before its first DHCPDISCOVER. Like Windows this one begins at
 * once; where many hosts start together, retransmissions spread them.
 */

import type { IpAddress, Random, TimerOwner } from '../../../base/index.ts';
import { BOOTREPLY, type DhcpV4Message, DhcpV4Option, DhcpV4Type, DropReason } from '../../../wire/index.ts';
import { ConfigChange } from '../../api.ts';
import type { DhcpV4Lease, DhcpV4State, DhcpV4Status } from '../status.ts';
import type { DhcpSurroundings } from '../surroundings.ts';
import { answersClient, isAddressedTo } from './answers-client.ts';
import { V4Configuration } from './configuration.ts';
import { type ExchangeOptions, LAST_RETRY_MS, LEAST_RENEW_RETRY_MS, V4Exchange } from './exchange.ts';
import { readLease } from './lease.ts';
import { hostAddress } from './options.ts';

/** Kinds of timers: what is sent again, and what becomes of the lease. */
const RETRANSMIT = 0;
const LEASE = 1;

/** DHCPREQUESTs without an answer before all begins anew (RFC 2131 §3.1, 5), and for an address of old. */
const MOST_REQUESTS = 4;
const MOST_REBOOT_REQUESTS = 3;
/** After a DHCPDECLINE (RFC 2131 §3.1, 5), at least; and the wait after the second DHCPNAK in a row, which doubles. */
const DECLINE_WAIT_MS = 10_000;
const NAK_WAIT_MS = 1000;
/** How many DHCPDISCOVERs go unanswered before a link-local address is taken: after about 12 s. */
const DISCOVERS_BEFORE_LINK_LOCAL = 2;
/** How long a DHCPRELEASE may take to leave, a question for the router's hardware address included. */
const RELEASE_LINGER_MS = 100;
/** States in which an answer may come to an address that the interface does not have yet. */
const EXPECTS_ADDRESS: ReadonlySet<DhcpV4State> = new Set(['SELECTING', 'REQUESTING', 'REBOOTING']);

export interface V4ClientOptions extends ExchangeOptions {
  readonly linkLocalFallback: boolean;
  /** Whether others can be asked for an address: not on a link without hardware addresses. */
  readonly checksConflicts: boolean;
}

export class DhcpV4Client implements TimerOwner {
  readonly options: V4ClientOptions;
  #state: DhcpV4State = 'STOPPED';
  readonly #around: DhcpSurroundings;
  readonly #random: Random;
  readonly #configuration: V4Configuration;
  readonly #exchange: V4Exchange;
  readonly #leaseTimer: number;
  /** What was granted, or is asked for anew after a stop; applied in BOUND, RENEWING, REBINDING. */
  #lease: DhcpV4Lease | null = null;
  /** What is asked for: an offer, or a lease of old. */
  #wanted: DhcpV4Lease | null = null;
  #requestedAddress: IpAddress | null = null;
  #naks = 0;
  #checks = 0;
  #usesLinkLocal = false;
  /** Stopped as soon as the DHCPRELEASE has left. */
  #isStopping = false;
  /** A server forbade link-local addresses (RFC 2563). */
  #mayAutoConfigure = true;

  constructor(around: DhcpSurroundings, options: V4ClientOptions) {
    this.options = options;
    this.#around = around;
    this.#random = around.host.random;
    this.#configuration = new V4Configuration(around.topology, options.interfaceIndex);
    this.#exchange = new V4Exchange(around, options, this, RETRANSMIT);
    this.#leaseTimer = around.host.timers.create(this, LEASE);
  }

  get status(): DhcpV4Status {
    const lease = this.#isBound ? this.#lease : null;
    return {
      mode: 'stateful',
      state: this.#state,
      lease,
      remembered: this.#lease,
      information: lease,
      attempts: this.#exchange.attempts,
      usesLinkLocal: this.#usesLinkLocal,
    };
  }

  /** Whether messages for it may come. */
  get isActive(): boolean {
    return this.#state !== 'STOPPED' && this.#state !== 'RELEASED';
  }

  /** Takes a DHCPACK of before the host was started for the lease, if it can be: for {@link start}. */
  recall(message: DhcpV4Message, obtainedAt: number): void {
    if (this.isActive || message.op !== BOOTREPLY || message.type !== DhcpV4Type.ack) return;
    if (isAddressedTo(message, this.options.identity))
      this.#lease = readLease(message, obtainedAt, this.#random);
  }

  /** Begins, with an address of old when there is one: `requested`, or the lease at the last stop. */
  start(requested: IpAddress | null = null): void {
    if (this.isActive) return;
    this.#naks = 0;
    this.#mayAutoConfigure = true;
    this.#requestedAddress = requested ?? this.#lease?.address ?? null;
    const old = this.#lease;
    const isOver = old === null || old.expiresAt <= this.#now;
    if (isOver || (requested !== null && !old.address.equals(requested))) this.#lease = null;
    // A lease that is over is a wish: a server that knows nothing of it would not answer (§4.3.2).
    const isWish = requested === null && isOver;
    if (this.#requestedAddress === null || isWish) this.#discover();
    else this.#reboot();
  }

  /** Ends; without a word, but for `release`. A lease that is not released is remembered for the next start. */
  stop(isReleased = false): void {
    if (isReleased) this.release();
    this.#setLinkLocal(false);
    if (this.#state === 'RELEASING') {
      this.#isStopping = true;
      return;
    }
    this.#unbind();
    this.#enter('STOPPED');
  }

  /** Gives the address back (RFC 2131 §4.4.6): what was configured goes once the message has left. */
  release(): void {
    if (this.#state === 'RELEASING' || this.#state === 'RELEASED') return;
    const lease = this.#isBound ? this.#lease : null;
    this.#disarm();
    this.#setLinkLocal(false);
    if (lease === null) {
      this.#forget();
      this.#enter('RELEASED');
      return;
    }
    this.#exchange.begin();
    const own = { ciaddr: lease.address.w3, requestedAddress: null, server: lease.server };
    this.#exchange.send({ type: DhcpV4Type.release, ...own }, lease);
    this.#state = 'RELEASING';
    this.#exchange.arm(RELEASE_LINGER_MS);
  }

  /** Asks for more time now, or, without a lease, for a lease. */
  renew(): void {
    if (this.#state === 'RELEASING') this.#finishRelease();
    if (this.#isBound) this.#beginRenewing();
    else if (this.#state === 'CHECKING') return;
    else if (this.isActive) this.#discover();
    else this.start();
  }

  /** The link is there again, perhaps another one: its lease is asked about (RFC 2131 §3.7), or all begins at once. */
  linkUp(): void {
    if (!this.isActive || this.#state === 'RELEASING') return;
    const requested = this.#lease === null ? this.#requestedAddress : null;
    this.stop();
    this.start(requested);
  }

  /** Somebody else turned out to have `address`, which is in use here (RFC 5227 §2.4). */
  conflict(address: IpAddress): void {
    if (this.#isBound && this.#lease?.address.equals(address) === true) this.#decline(this.#lease);
  }

  /** They are this client's own doing, or nothing to it. */
  addressesChanged(): void {}

  /** Frees what it holds, for good. */
  close(): void {
    this.#forget();
    this.#enter('STOPPED');
    this.#exchange.close();
    this.#around.host.timers.destroy(this.#leaseTimer);
  }

  timeout(kind: number): void {
    if (kind === LEASE) this.#leaseTimeout();
    else this.#retransmitTimeout();
  }

  /** Takes a message that came to the interface. @returns 0 or the `DropReason` */
  receive(message: DhcpV4Message): number {
    if (!this.#isForUs(message)) return DropReason.dhcpUnexpected;
    switch (this.#state) {
      case 'SELECTING':
        return message.type === DhcpV4Type.offer ? this.#takeOffer(message) : DropReason.dhcpUnexpected;
      case 'REQUESTING':
      case 'REBOOTING':
      case 'RENEWING':
      case 'REBINDING':
        if (message.type === DhcpV4Type.ack) return this.#takeAck(message);
        return message.type === DhcpV4Type.nak ? this.#takeNak(message) : DropReason.dhcpUnexpected;
      default:
        return DropReason.dhcpUnexpected;
    }
  }

  get #now(): number {
    return this.#around.host.now;
  }

  get #isBound(): boolean {
    return this.#state === 'BOUND' || this.#state === 'RENEWING' || this.#state === 'REBINDING';
  }

  // What arrives

  /** Whether it answers what this client has asked last. */
  #isForUs(message: DhcpV4Message): boolean {
    return message.op === BOOTREPLY && answersClient(message, this.#exchange.xid, this.options.identity);
  }

  /** The first offer that is any good is taken. */
  #takeOffer(message: DhcpV4Message): number {
    if (message.yiaddr === 0) return this.#takeNoOffer(message);
    const offer = this.#usableLease(message);
    if (offer === null) return DropReason.dhcpRefused;
    this.#wanted = offer;
    this.#enter('REQUESTING');
    this.#exchange.requestedAt = this.#now;
    this.#transmit();
    return DropReason.none;
  }

  /** A server without addresses that says whether link-local ones may be used: RFC 2563 §2.3. */
  #takeNoOffer({ options }: DhcpV4Message): number {
    const value = options.get(DhcpV4Option.autoConfigure);
    if (value?.length !== 1) return DropReason.dhcpRefused;
    this.#mayAutoConfigure = value[0] !== 0;
    if (!this.#mayAutoConfigure) this.#setLinkLocal(false);
    return DropReason.none;
  }

  #takeAck(message: DhcpV4Message): number {
    const granted = this.#usableLease(message);
    if (granted === null) return DropReason.dhcpRefused;
    const wanted = this.#wanted ?? this.#lease;
    const address = wanted?.address ?? this.#requestedAddress;
    if (address?.equals(granted.address) !== true) return DropReason.dhcpRefused;
    // The others were told by our request that they were not chosen.
    const isBoundToServer = this.#state === 'REQUESTING' || this.#state === 'RENEWING';
    if (isBoundToServer && wanted?.server.equals(granted.server) !== true) return DropReason.dhcpUnexpected;
    if (this.#isBound) this.#bind(granted);
    else this.#check(granted);
    return DropReason.none;
  }

  #takeNak(message: DhcpV4Message): number {
    const server = hostAddress(message.options, DhcpV4Option.serverIdentifier);
    if (server === null) return DropReason.dhcpRefused;
    const isBoundToServer = this.#state === 'REQUESTING' || this.#state === 'RENEWING';
    const wanted = this.#wanted ?? this.#lease;
    if (isBoundToServer && wanted?.server.equals(server) !== true) return DropReason.dhcpUnexpected;
    this.#forget();
    // A server that offers what it then refuses must not make us a flood.
    const wait = this.#naks === 0 ? 0 : Math.min(LAST_RETRY_MS, NAK_WAIT_MS * 2 ** (this.#naks - 1));
    this.#naks++;
    this.#restart(wait);
    return DropReason.none;
  }

  /** The lease in a message, unless its address is one that this host has already for another reason. */
  #usableLease(message: DhcpV4Message): DhcpV4Lease | null {
    const lease = readLease(message, this.#exchange.requestedAt, this.#random);
    if (lease === null) return null;
    const { topology } = this.#around;
    const owner = topology.interfaceOf(lease.address);
    if (topology.interfaceOf(lease.server) !== null) return null;
    if (owner === null) return lease;
    const held = owner.addresses.find(({ address }) => address.equals(lease.address));
    return owner.index === this.options.interfaceIndex && held?.origin === 'dhcp' ? lease : null;
  }

  // States

  /** INIT: asks all servers. */
  #discover(): void {
    this.#exchange.begin();
    this.#enter('SELECTING');
    this.#wanted = null;
    this.#transmit();
  }

  /** INIT-REBOOT: asks whether an address of old may still be used. */
  #reboot(): void {
    this.#exchange.begin();
    this.#enter('REBOOTING');
    this.#exchange.requestedAt = this.#now;
    this.#wanted = null;
    this.#transmit();
  }

  /** INIT again, after a while. */
  #restart(waitMs: number): void {
    this.#enter('INIT');
    if (waitMs === 0) this.#discover();
    else this.#exchange.arm(waitMs);
  }

  /** Asks the link before the address is used (RFC 2131 §4.4.1, RFC 5227 §2.1.1). */
  #check(granted: DhcpV4Lease): void {
    this.#enter('CHECKING');
    this.#wanted = granted;
    const { interfaceIndex, checksConflicts } = this.options;
    if (!checksConflicts) {
      this.#bind(granted);
      return;
    }
    const check = ++this.#checks;
    this.#around.conflicts.probeAddress(interfaceIndex, granted.address, (isConflict) => {
      if (check !== this.#checks || this.#state !== 'CHECKING') return;
      if (isConflict) this.#decline(granted);
      else this.#bind(granted);
    });
  }

  /** BOUND. */
  #bind(lease: DhcpV4Lease): void {
    // The check, or the way, may have taken longer than the lease lasts.
    if (lease.expiresAt <= this.#now) {
      this.#forget();
      this.#restart(LEAST_RENEW_RETRY_MS);
      return;
    }
    this.#enter('BOUND');
    this.#lease = lease;
    this.#around.host.noteChange(ConfigChange.leases);
    this.#wanted = null;
    this.#requestedAddress = lease.address;
    this.#naks = 0;
    this.#exchange.attempts = 0;
    this.#setLinkLocal(false);
    this.#configuration.apply(lease);
    this.#armLease(lease.renewAt);
  }

  /** Says that the address is somebody's, and begins anew later (RFC 2131 §4.4.4). */
  #decline(lease: DhcpV4Lease): void {
    this.#exchange.begin();
    const { address, server } = lease;
    this.#exchange.send({ type: DhcpV4Type.decline, ciaddr: 0, requestedAddress: address, server }, null);
    this.#forget();
    this.#restart(DECLINE_WAIT_MS);
  }

  #beginRenewing(): void {
    this.#exchange.begin();
    this.#enter('RENEWING');
    this.#armLease((this.#lease as DhcpV4Lease).rebindAt);
    this.#transmit();
  }

  #leaseTimeout(): void {
    const lease = this.#lease;
    if (lease === null) return;
    if (this.#state === 'BOUND') this.#beginRenewing();
    else if (this.#state === 'RENEWING') {
      this.#enter('REBINDING');
      this.#armLease(lease.expiresAt);
      this.#transmit();
    } else if (this.#state === 'REBINDING') {
      this.#forget();
      this.#restart(0);
    }
  }

  #retransmitTimeout(): void {
    const state = this.#state;
    if (state === 'INIT') this.#discover();
    else if (state === 'RELEASING') this.#finishRelease();
    else if (state === 'REQUESTING' && this.#exchange.attempts >= MOST_REQUESTS) this.#discover();
    else if (state === 'REBOOTING' && this.#exchange.attempts >= MOST_REBOOT_REQUESTS) this.#endReboot();
    else {
      if (state === 'SELECTING' && this.#exchange.attempts >= DISCOVERS_BEFORE_LINK_LOCAL)
        this.#setLinkLocal(this.#mayAutoConfigure);
      this.#transmit();
    }
  }

  /** Nobody answers: what is left of a lease may be used (RFC 2131 §3.2, 4). */
  #endReboot(): void {
    const lease = this.#lease;
    if (lease !== null && lease.expiresAt > this.#now) this.#check(lease);
    else this.#discover();
  }

  #finishRelease(): void {
    this.#forget();
    this.#enter(this.#isStopping ? 'STOPPED' : 'RELEASED');
    this.#isStopping = false;
  }

  // Parts of the above

  #enter(state: DhcpV4State): void {
    this.#disarm();
    this.#state = state;
    this.#exchange.attempts = 0;
    this.#checks++;
    const iface = this.#around.topology.find(this.options.interfaceIndex);
    if (iface !== null) iface.isConfiguring = EXPECTS_ADDRESS.has(state);
  }

  /** Takes away what the lease configured; the lease is remembered. */
  #unbind(): void {
    this.#disarm();
    this.#configuration.remove();
  }

  #forget(): void {
    this.#unbind();
    if (this.#lease !== null) this.#around.host.noteChange(ConfigChange.leases);
    this.#lease = null;
    this.#wanted = null;
    this.#requestedAddress = null;
  }

  #setLinkLocal(isWanted: boolean): void {
    const { interfaceIndex, linkLocalFallback } = this.options;
    if (isWanted === this.#usesLinkLocal || (isWanted && !linkLocalFallback)) return;
    this.#usesLinkLocal = isWanted;
    if (isWanted) this.#around.linkLocal.enableAutoIp(interfaceIndex);
    else this.#around.linkLocal.disableAutoIp(interfaceIndex);
  }

  /** Sends the state's message and arms for the next time. */
  #transmit(): void {
    const exchange = this.#exchange;
    const state = this.#state;
    const lease = this.#lease;
    if ((state === 'RENEWING' || state === 'REBINDING') && lease !== null) {
      this.#transmitRenewal(lease);
      return;
    }
    exchange.attempts++;
    if (state !== 'REQUESTING') exchange.countSeconds();
    const type = state === 'SELECTING' ? DhcpV4Type.discover : DhcpV4Type.request;
    const requestedAddress = this.#wanted?.address ?? this.#requestedAddress;
    exchange.send({ type, ciaddr: 0, requestedAddress, server: this.#wanted?.server ?? null }, null);
    exchange.armRetry();
  }

  #transmitRenewal(lease: DhcpV4Lease): void {
    const exchange = this.#exchange;
    const isToOne = this.#state === 'RENEWING';
    // Minutes apart, and each for its own: what answers one says nothing of the time at which another was sent.
    if (exchange.attempts > 0 || !isToOne) exchange.again();
    exchange.attempts++;
    exchange.countSeconds();
    const own = { ciaddr: lease.address.w3, requestedAddress: null, server: null };
    exchange.send({ type: DhcpV4Type.request, ...own }, isToOne ? lease : null);
    exchange.armRenewal(isToOne ? lease.rebindAt : lease.expiresAt);
  }

  #armLease(at: number): void {
    const { timers } = this.#around.host;
    if (at === Number.POSITIVE_INFINITY) timers.disarm(this.#leaseTimer);
    else timers.arm(this.#leaseTimer, Math.max(at, this.#now));
  }

  #disarm(): void {
    this.#exchange.disarm();
    this.#around.host.timers.disarm(this.#leaseTimer);
  }
}
