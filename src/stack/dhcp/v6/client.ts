/**
 * The DHCPv6 client of one interface: addresses of an identity association, or only what else there is to know (RFC 8415 §6).
 *
 *     SOLICIT → REQUEST → BOUND → RENEW → REBIND          stateful: §18.2.1 – §18.2.5
 *        └── rapid commit ──┘  └── REPLY ┴──┘
 *     CONFIRM after a stop; DECLINE of an address that somebody else has; RELEASE
 *     INFORMATION-REQUEST → INFORMED                      stateless: §18.2.6
 *
 * It has no socket: messages leave from the link-local address as packets of the host, and arrive before endpoints are looked
 * for. Reconfigure is not agreed to (§18.2.11), and what is sent to a server is multicast always.
 *
 * Deviation: RFC 8415 §18.2.10.1 leaves T1 to the server; less than five seconds are not believed.
 */

import { type IpAddress, type Random, randomFraction, type TimerOwner } from '../../../base/index.ts';
import {
  type DhcpV6Message,
  DhcpV6Option,
  DhcpV6Status,
  DhcpV6Type,
  DropReason,
} from '../../../wire/index.ts';
import { ConfigChange } from '../../api.ts';
import type { DhcpV6Status as ClientStatus, DhcpMode, DhcpV6Lease, DhcpV6State } from '../status.ts';
import type { DhcpSurroundings } from '../surroundings.ts';
import { type DhcpV6Answer, isEqual, readAnswer, usableAddresses } from './answer.ts';
import { V6Configuration } from './configuration.ts';
import { V6Exchange, type V6ExchangeOptions, type V6Message } from './exchange.ts';
import { leaseOf, leaseWithout } from './lease.ts';
import {
  CNF_MAX_DELAY,
  CONFIRM,
  DECLINE,
  INF_MAX_DELAY,
  INF_MAX_RT,
  INFORMATION,
  REBIND,
  RELEASE,
  RENEW,
  REQUEST,
  SOL_MAX_DELAY,
  SOL_MAX_RT,
  SOLICIT,
} from './retransmission.ts';

/** Kinds of timers: what is sent again, and what becomes of the lease. */
const RETRANSMIT = 0;
const LEASE = 1;

/** RFC 8415 §18.2.1: an advertisement that ends the waiting for others. */
const HIGHEST_PREFERENCE = 255;
/** Information refresh (§7.6), seconds. */
const IRT_DEFAULT = 86_400;
const IRT_MINIMUM = 600;
/** The wait before all begins anew after a server refused; it doubles. */
const FIRST_FAILURE_WAIT_MS = 1000;
const LAST_FAILURE_WAIT_MS = 120_000;

const WANTED = [DhcpV6Option.dnsServers, DhcpV6Option.domainSearch, DhcpV6Option.solMaxRt] as const;
const WANTED_INFORMATION = [
  DhcpV6Option.dnsServers,
  DhcpV6Option.domainSearch,
  DhcpV6Option.informationRefreshTime,
  DhcpV6Option.infMaxRt,
] as const;
const NOTHING: readonly number[] = [];
const NO_ADDRESSES: readonly IpAddress[] = [];

export interface V6ClientOptions extends V6ExchangeOptions {
  readonly rapidCommit: boolean;
}

export class DhcpV6Client implements TimerOwner {
  readonly options: V6ClientOptions;
  #state: DhcpV6State = 'STOPPED';
  #mode: DhcpMode = 'stateful';
  readonly #around: DhcpSurroundings;
  readonly #random: Random;
  readonly #configuration: V6Configuration;
  readonly #exchange: V6Exchange;
  readonly #leaseTimer: number;
  #lease: DhcpV6Lease | null = null;
  /** The best advertisement so far. */
  #advertised: DhcpV6Answer | null = null;
  #solMaxRt = SOL_MAX_RT;
  #infMaxRt = INF_MAX_RT;
  #failures = 0;
  /** Stopped as soon as the release is answered. */
  #isStopping = false;

  constructor(around: DhcpSurroundings, options: V6ClientOptions) {
    this.options = options;
    this.#around = around;
    this.#random = around.host.random;
    this.#configuration = new V6Configuration(around.topology, options.interfaceIndex);
    this.#exchange = new V6Exchange(around, options, this, RETRANSMIT);
    this.#leaseTimer = around.host.timers.create(this, LEASE);
  }

  get status(): ClientStatus {
    const { duid, iaid } = this.options;
    return {
      state: this.#state,
      mode: this.#mode,
      clientDuid: duid,
      iaid,
      lease: this.#isInUse ? this.#lease : null,
      remembered: this.#lease,
      attempts: this.#exchange.attempts,
    };
  }

  get isActive(): boolean {
    return this.#state !== 'STOPPED' && this.#state !== 'RELEASED';
  }

  /** Takes a REPLY of before the host was started for the lease, if it can be: for {@link start}. */
  recall(message: DhcpV6Message, server: IpAddress, obtainedAt: number): void {
    const { duid, iaid } = this.options;
    if (this.isActive || message.type !== DhcpV6Type.reply) return;
    const answer = readAnswer(message, duid, iaid);
    const granted = answer?.status === DhcpV6Status.success ? usableAddresses(answer.association) : [];
    if (answer !== null && granted.length > 0) this.#lease = leaseOf(answer, granted, server, obtainedAt);
  }

  /** Begins, or goes on in another mode. */
  start(mode: DhcpMode): void {
    if (this.isActive && mode === this.#mode) return;
    if (this.isActive) this.stop();
    this.#mode = mode;
    this.#isStopping = false;
    this.#failures = 0;
    const old = this.#lease;
    const isConfirmable = old !== null && old.addresses.length > 0 && old.expiresAt > this.#now;
    if (mode === 'stateful' && isConfirmable) {
      this.#enter('CONFIRM', CNF_MAX_DELAY * randomFraction(this.#random));
      return;
    }
    this.#lease = null;
    const delay = mode === 'stateless' ? INF_MAX_DELAY : SOL_MAX_DELAY;
    this.#enter('INIT', delay * randomFraction(this.#random));
  }

  /** Ends; without a word, but for `release`. A lease that is not released is remembered for the next start. */
  stop(isReleased = false): void {
    if (isReleased) this.release();
    if (this.#state === 'RELEASE') {
      this.#isStopping = true;
      return;
    }
    this.#enter('STOPPED', -1);
    this.#configuration.remove();
  }

  /** Gives the addresses back: they are not used from now on (§18.2.7). */
  release(): void {
    if (this.#state === 'RELEASE' || this.#state === 'RELEASED') return;
    const lease = this.#isInUse ? this.#lease : null;
    this.#forget();
    if (lease === null || lease.addresses.length === 0) {
      this.#enter('RELEASED', -1);
      return;
    }
    this.#enter('RELEASE', -1);
    this.#send(DhcpV6Type.release, RELEASE, lease.serverDuid, addressesOf(lease), NOTHING);
  }

  /** Asks for more time now, or anew where there is nothing. */
  renew(): void {
    if (this.#state === 'RELEASE') this.#endRelease();
    if (this.#mode === 'stateless' && this.isActive) this.#inform();
    else if (this.#isInUse) this.#renew();
    else if (this.isActive) this.#solicit();
    else this.start(this.#mode);
  }

  /** §18.2.12: the link is there again, perhaps another one: its addresses are asked about, or all begins at once. */
  linkUp(): void {
    if (!this.isActive || this.#state === 'RELEASE') return;
    this.stop();
    this.start(this.#mode);
  }

  /** Somebody else turned out to have `address` (§18.2.8). */
  conflict(address: IpAddress): void {
    const lease = this.#lease;
    if (!this.#isInUse || lease?.addresses.some((held) => held.address.equals(address)) !== true) return;
    this.#lease = leaseWithout(lease, address);
    this.#configuration.setAddresses(this.#lease?.addresses ?? []);
    this.#enter('DECLINE', -1);
    this.#send(DhcpV6Type.decline, DECLINE, lease.serverDuid, [address], NOTHING);
  }

  /** Frees what it holds, for good. */
  close(): void {
    this.#forget();
    this.#enter('STOPPED', -1);
    this.#exchange.close();
    this.#around.host.timers.destroy(this.#leaseTimer);
  }

  timeout(kind: number): void {
    if (kind === LEASE) this.#leaseTimeout();
    else this.#retransmitTimeout();
  }

  /** Takes a message that came to the interface. @returns 0 or the `DropReason` */
  receive(message: DhcpV6Message, server: IpAddress): number {
    const { duid, iaid } = this.options;
    if (message.transactionId !== this.#exchange.transactionId) return DropReason.dhcpUnexpected;
    const answer = readAnswer(message, duid, iaid);
    if (answer === null) return DropReason.dhcpRefused;
    this.#takeLimits(answer);
    if (message.type === DhcpV6Type.advertise && this.#state === 'SOLICIT')
      return this.#takeAdvertise(answer);
    if (message.type === DhcpV6Type.reply) return this.#takeReply(answer, server);
    return DropReason.dhcpUnexpected;
  }

  get #now(): number {
    return this.#around.host.now;
  }

  /** Whether what the lease says is configured. */
  get #isInUse(): boolean {
    const state = this.#state;
    return (
      this.#lease !== null && this.isActive && state !== 'INIT' && state !== 'CONFIRM' && state !== 'RELEASE'
    );
  }

  // What arrives

  /** §18.2.9: the highest preference is chosen when the first wait is over, 255 at once, and later the first that comes. */
  #takeAdvertise(answer: DhcpV6Answer): number {
    if (answer.status !== DhcpV6Status.success || usableAddresses(answer.association).length === 0)
      return DropReason.dhcpRefused;
    const best = this.#advertised;
    if (best === null || answer.preference > best.preference) this.#advertised = answer;
    if (answer.preference === HIGHEST_PREFERENCE || this.#exchange.attempts > 1) this.#request();
    return DropReason.none;
  }

  #takeReply(answer: DhcpV6Answer, server: IpAddress): number {
    switch (this.#state) {
      case 'SOLICIT':
        if (!answer.isRapidCommit || !this.options.rapidCommit) return DropReason.dhcpUnexpected;
        return this.#takeGrant(answer, server);
      case 'REQUEST':
        if (!this.#isFromChosen(answer)) return DropReason.dhcpUnexpected;
        return this.#takeGrant(answer, server);
      case 'RENEW':
      case 'REBIND':
        return this.#takeExtension(answer, server);
      case 'CONFIRM':
        return this.#takeConfirmation(answer);
      case 'INFORMATION-REQUEST':
        return this.#takeInformation(answer, server);
      case 'RELEASE':
        this.#endRelease();
        return DropReason.none;
      case 'DECLINE':
        this.#endDecline();
        return DropReason.none;
      default:
        return DropReason.dhcpUnexpected;
    }
  }

  #isFromChosen({ serverDuid }: DhcpV6Answer): boolean {
    return this.#advertised !== null && isEqual(this.#advertised.serverDuid, serverDuid);
  }

  /** §18.2.10.1 of what answers a SOLICIT or REQUEST. */
  #takeGrant(answer: DhcpV6Answer, server: IpAddress): number {
    // The message is to be sent again, but not sooner than it would be (§18.2.10).
    if (answer.status === DhcpV6Status.unspecFail) return DropReason.none;
    const granted = usableAddresses(answer.association);
    if (answer.status === DhcpV6Status.success && granted.length > 0) {
      this.#bind(leaseOf(answer, granted, server, this.#now));
      return DropReason.none;
    }
    // It would be sent to a server that does not want us, again and again; another one may answer a SOLICIT.
    if (this.#state === 'REQUEST') this.#fail();
    return DropReason.dhcpRefused;
  }

  /** §18.2.10.1 of what answers a RENEW or REBIND. */
  #takeExtension(answer: DhcpV6Answer, server: IpAddress): number {
    const { association, status } = answer;
    if (status !== DhcpV6Status.success || association === null) return DropReason.dhcpRefused;
    if (association.status === DhcpV6Status.noBinding) {
      // The server knows nothing of us: it is asked to (§18.2.10.1).
      this.#advertised = answer;
      this.#request();
      return DropReason.none;
    }
    if (association.status !== DhcpV6Status.success) return DropReason.dhcpRefused;
    const granted = usableAddresses(association);
    if (granted.length > 0) this.#bind(leaseOf(answer, granted, server, this.#now));
    else this.#fail();
    return DropReason.none;
  }

  /** §18.2.10.1 of what answers a CONFIRM. */
  #takeConfirmation({ status }: DhcpV6Answer): number {
    if (status === DhcpV6Status.success) this.#resume();
    else if (status === DhcpV6Status.notOnLink) {
      this.#forget();
      this.#solicit();
    } else return DropReason.dhcpRefused;
    return DropReason.none;
  }

  /** §18.2.10.4, §21.23. */
  #takeInformation(answer: DhcpV6Answer, server: IpAddress): number {
    if (answer.status !== DhcpV6Status.success) return DropReason.dhcpRefused;
    const refreshSec = answer.refreshSec < 0 ? IRT_DEFAULT : Math.max(IRT_MINIMUM, answer.refreshSec);
    const now = this.#now;
    const refreshAt = answer.refreshSec === 0xffffffff ? Number.POSITIVE_INFINITY : now + refreshSec * 1000;
    const { message, serverDuid, dnsServers, searchList } = answer;
    const times = {
      obtainedAt: now,
      renewAt: refreshAt,
      rebindAt: refreshAt,
      expiresAt: Number.POSITIVE_INFINITY,
    };
    this.#lease = { message, serverDuid, server, addresses: [], ...times, dnsServers, searchList };
    this.#enter('INFORMED', -1);
    this.#configuration.setNames(dnsServers, searchList);
    this.#armLease(refreshAt);
    return DropReason.none;
  }

  /** §21.24, §21.25: counts from any answer. */
  #takeLimits({ solMaxRt, infMaxRt }: DhcpV6Answer): void {
    if (solMaxRt !== 0) this.#solMaxRt = solMaxRt;
    if (infMaxRt !== 0) this.#infMaxRt = infMaxRt;
    if (this.#state === 'SOLICIT') this.#exchange.retransmission.limit(this.#solMaxRt);
    if (this.#state === 'INFORMATION-REQUEST') this.#exchange.retransmission.limit(this.#infMaxRt);
  }

  // States

  #solicit(): void {
    this.#enter('SOLICIT', -1);
    this.#advertised = null;
    const parameters = { ...SOLICIT, mrt: this.#solMaxRt };
    this.#send(DhcpV6Type.solicit, parameters, null, NO_ADDRESSES, WANTED, this.options.rapidCommit);
  }

  #request(): void {
    const chosen = this.#advertised;
    if (chosen === null) return;
    const offered = usableAddresses(chosen.association).map(({ address }) => address);
    const addresses = offered.length > 0 || this.#lease === null ? offered : addressesOf(this.#lease);
    const held = this.#isInUse ? this.#lease : null;
    this.#enter('REQUEST', -1);
    this.#send(DhcpV6Type.request, REQUEST, chosen.serverDuid, addresses, WANTED);
    // What is held meanwhile ends when it ends.
    if (held !== null) this.#armLease(held.expiresAt);
  }

  #bind(lease: DhcpV6Lease): void {
    this.#enter('BOUND', -1);
    this.#lease = lease;
    this.#around.host.noteChange(ConfigChange.leases);
    this.#advertised = null;
    this.#failures = 0;
    this.#configuration.setAddresses(lease.addresses);
    this.#configuration.setNames(lease.dnsServers, lease.searchList);
    this.#armLease(Math.min(lease.renewAt, lease.expiresAt));
  }

  /** What was granted before a stop may be used still. */
  #resume(): void {
    const lease = this.#lease;
    const addresses = lease?.addresses.filter(({ validUntil }) => validUntil > this.#now) ?? [];
    if (lease === null || addresses.length === 0) this.#solicit();
    else this.#bind({ ...lease, addresses });
  }

  #renew(): void {
    const lease = this.#lease;
    if (lease === null) return;
    this.#enter('RENEW', -1);
    this.#armLease(Math.min(lease.rebindAt, lease.expiresAt));
    this.#send(DhcpV6Type.renew, RENEW, lease.serverDuid, addressesOf(lease), WANTED);
  }

  #rebind(lease: DhcpV6Lease): void {
    this.#enter('REBIND', -1);
    this.#armLease(lease.expiresAt);
    this.#send(DhcpV6Type.rebind, REBIND, null, addressesOf(lease), WANTED);
  }

  #inform(): void {
    this.#enter('INFORMATION-REQUEST', -1);
    const parameters = { ...INFORMATION, mrt: this.#infMaxRt };
    this.#send(DhcpV6Type.informationRequest, parameters, null, null, WANTED_INFORMATION);
  }

  /** What a server refused is asked for anew, less and less often. */
  #fail(): void {
    this.#forget();
    const wait = Math.min(LAST_FAILURE_WAIT_MS, FIRST_FAILURE_WAIT_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#enter('INIT', wait);
  }

  #endRelease(): void {
    this.#enter(this.#isStopping ? 'STOPPED' : 'RELEASED', -1);
    this.#isStopping = false;
  }

  #endDecline(): void {
    if (this.#lease === null) this.#fail();
    else this.#bind(this.#lease);
  }

  #leaseTimeout(): void {
    const lease = this.#lease;
    if (lease === null) return;
    if (this.#state === 'INFORMED') this.#inform();
    else if (lease.expiresAt <= this.#now) {
      this.#forget();
      this.#solicit();
    } else if (this.#state === 'BOUND') this.#renew();
    else if (this.#state === 'RENEW') this.#rebind(lease);
  }

  #retransmitTimeout(): void {
    const exchange = this.#exchange;
    switch (this.#state) {
      case 'INIT':
        if (this.#mode === 'stateless') this.#inform();
        else this.#solicit();
        break;
      case 'SOLICIT':
        if (this.#advertised === null) exchange.again();
        else this.#request();
        break;
      case 'REQUEST':
        if (exchange.isOver) this.#solicit();
        else exchange.again();
        break;
      case 'CONFIRM':
        if (exchange.attempts === 0) this.#confirm();
        // §18.2.3: nobody says no.
        else if (exchange.isOver) this.#resume();
        else exchange.again();
        break;
      case 'RELEASE':
        if (exchange.isOver) this.#endRelease();
        else exchange.again();
        break;
      case 'DECLINE':
        if (exchange.isOver) this.#endDecline();
        else exchange.again();
        break;
      default:
        exchange.again();
    }
  }

  #confirm(): void {
    const lease = this.#lease;
    if (lease === null) this.#solicit();
    else this.#send(DhcpV6Type.confirm, CONFIRM, null, addressesOf(lease), NOTHING);
  }

  // Parts of the above

  /** @param waitMs until the next step; -1: none is due by itself */
  #enter(state: DhcpV6State, waitMs: number): void {
    this.#exchange.end();
    this.#around.host.timers.disarm(this.#leaseTimer);
    this.#state = state;
    if (waitMs >= 0) this.#exchange.arm(waitMs);
  }

  #send(
    type: number,
    parameters: V6Message['parameters'],
    serverDuid: Uint8Array | null,
    addresses: readonly IpAddress[] | null,
    requested: readonly number[],
    isRapidCommit = false,
  ): void {
    this.#exchange.begin({ type, parameters, serverDuid, addresses, requested, isRapidCommit });
  }

  #forget(): void {
    if (this.#lease !== null) this.#around.host.noteChange(ConfigChange.leases);
    this.#lease = null;
    this.#advertised = null;
    this.#configuration.remove();
  }

  #armLease(at: number): void {
    const { timers } = this.#around.host;
    if (at === Number.POSITIVE_INFINITY) timers.disarm(this.#leaseTimer);
    else timers.arm(this.#leaseTimer, Math.max(at, this.#now));
  }
}

function addressesOf({ addresses }: DhcpV6Lease): IpAddress[] {
  return addresses.map(({ address }) => address);
}
