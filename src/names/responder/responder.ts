/**
 * Multicast DNS, answering (RFC 6762): this host's name under `.local` and its services, claimed on every link, defended, and given
 * back in the end.
 */

import type { IpAddress, IpFamily } from '../../base/index.ts';
import type { OfferedService } from '../../port/index.ts';
import { decodeMessage } from '../codec.ts';
import { MDNS_GROUPS, MDNS_PORT } from '../mdns.ts';
import { foldName } from '../name.ts';
import type { DatagramOrigin, GroupSocket, NameNetwork } from '../network.ts';
import { HostClaim, ServiceClaim } from './claims.ts';
import { type ClaimObserver, LinkClaim } from './link-claim.ts';
import type { Claim } from './own-record.ts';
import { type ResponderCounters, ResponderLink } from './responder-link.ts';

export interface ResponderOptions {
  readonly network: NameNetwork;
  /** The host's name, without domains. */
  readonly label: string;
  /** The host's name is another one now. */
  readonly onRenamed?: (name: string) => void;
}

/** A service that was registered. */
export interface RegisteredService {
  /** As it is called now: another host may have had the name. */
  readonly instance: string;
  /** Resolves when no link contradicts, or there is none. */
  readonly established: Promise<void>;
  /** Takes it back. */
  withdraw(): void;
}

interface Claimed {
  readonly claim: Claim;
  onEstablished: () => void;
  /** When it was contradicted lately, ms. */
  conflicts: number[];
}

/** §8.1: after so many contradictions in so short a time probes go out slowly. */
const MANY_CONFLICTS = 15;
const CONFLICT_WINDOW_MS = 10_000;
const SLOW_PROBE_MS = 5000;

export class MdnsResponder {
  readonly counters: ResponderCounters = {
    queries: 0,
    answers: 0,
    malformed: 0,
    strangers: 0,
    suppressed: 0,
    conflicts: 0,
  };
  readonly #options: ResponderOptions;
  readonly #host: HostClaim;
  readonly #sockets = new Map<IpFamily, GroupSocket>();
  readonly #links: ResponderLink[] = [];
  readonly #claimed = new Map<Claim, Claimed>();
  #isClosed = false;

  private constructor(options: ResponderOptions) {
    this.#options = options;
    this.#host = new HostClaim(options.label);
    for (const group of MDNS_GROUPS) {
      const socket = options.network.joinGroup(group, MDNS_PORT, {
        received: (bytes, origin) => this.#received(bytes, origin, group.family),
      });
      if (socket !== null) this.#sockets.set(group.family, socket);
    }
    this.#claimed.set(this.#host, { claim: this.#host, onEstablished: () => {}, conflicts: [] });
    this.refresh();
  }

  /** Claims the host's name from now on. @returns `null` where no group can be joined */
  static start(options: ResponderOptions): MdnsResponder | null {
    const responder = new MdnsResponder(options);
    return responder.#sockets.size === 0 ? null : responder;
  }

  /** The host's full name on its links, now. */
  get hostName(): string {
    return this.#host.name;
  }

  /** Links, each with whether the host's name is established there. */
  get links(): readonly {
    readonly interfaceIndex: number;
    readonly family: IpFamily;
    readonly isReady: boolean;
  }[] {
    return this.#links.map(({ link, family, claims }) => ({
      interfaceIndex: link.index,
      family,
      isReady: [...claims.values()].every(({ isEstablished }) => isEstablished),
    }));
  }

  /** Looks which interfaces and addresses there are: called when that has changed. */
  refresh(): void {
    if (this.#isClosed) return;
    const now = this.#options.network.links();
    for (const socket of this.#sockets.values()) socket.refresh();
    const isThere = ({ link, family }: ResponderLink): boolean =>
      now.some(
        ({ index, addresses }) => index === link.index && addresses.some((each) => each.family === family),
      );
    for (const gone of this.#links.filter((each) => !isThere(each))) {
      gone.close();
      this.#links.splice(this.#links.indexOf(gone), 1);
    }
    for (const link of now) {
      for (const [family, socket] of this.#sockets) {
        const known = this.#links.find((each) => each.link.index === link.index && each.family === family);
        if (known !== undefined) known.addressesChanged(link);
        else if (link.addresses.some((each) => each.family === family)) this.#open(link, family, socket);
      }
    }
    for (const claimed of this.#claimed.values()) this.#settle(claimed);
  }

  /** Offers a service. @param service checked: names that fit, texts that fit */
  register(service: OfferedService): RegisteredService {
    const claim = new ServiceClaim(service, this.#host);
    const claimed: Claimed = { claim, onEstablished: () => {}, conflicts: [] };
    const established = new Promise<void>((resolve) => {
      claimed.onEstablished = resolve;
    });
    this.#avoidOwn(claim);
    this.#claimed.set(claim, claimed);
    for (const link of this.#links) this.#begin(claimed, link);
    this.#settle(claimed);
    return {
      get instance() {
        return claim.instance;
      },
      established,
      withdraw: () => this.#withdraw(claimed),
    };
  }

  /** The host is called something else from now on. @param label its name without domains */
  rename(label: string): void {
    if (this.#isClosed || label === this.#host.label) return;
    this.#host.relabel(label);
    this.#avoidOwn(this.#host);
    for (const link of this.#links) {
      const claim = link.claims.get(this.#host);
      claim?.withdraw((own) => link.says(own.key));
      claim?.begin();
    }
    this.#renamed();
  }

  /** Says goodbye to all links. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const link of this.#links.splice(0)) {
      for (const each of link.claims.values()) each.withdraw(() => false);
      link.close();
    }
    for (const { onEstablished } of this.#claimed.values()) onEstablished();
    this.#claimed.clear();
    for (const socket of this.#sockets.values()) socket.close();
  }

  #open(link: ResponderLink['link'], family: IpFamily, socket: GroupSocket): void {
    const { network } = this.#options;
    const opened = new ResponderLink({ network, socket, family, link, counters: this.counters });
    this.#links.push(opened);
    for (const claimed of this.#claimed.values()) this.#begin(claimed, opened);
  }

  #begin(claimed: Claimed, link: ResponderLink): void {
    const observer: ClaimObserver = {
      established: () => this.#settle(claimed),
      conflicted: (wasEstablished) => this.#conflicted(claimed, wasEstablished),
    };
    const made = new LinkClaim(claimed.claim, link, observer);
    link.claims.set(claimed.claim, made);
    made.begin();
  }

  /** §9: who is contradicted looks again, and takes another name when somebody does have it. */
  #conflicted(claimed: Claimed, wasEstablished: boolean): void {
    const { claim } = claimed;
    const now = this.#options.network.scheduler.now();
    this.counters.conflicts++;
    claimed.conflicts = [...claimed.conflicts, now]
      .filter((at) => now - at < CONFLICT_WINDOW_MS)
      .slice(-MANY_CONFLICTS);
    const delay = claimed.conflicts.length >= MANY_CONFLICTS ? SLOW_PROBE_MS : undefined;
    if (!wasEstablished) {
      claim.rename();
      this.#avoidOwn(claim);
    }
    // A name is the same on all links (§14).
    for (const link of this.#links) {
      const each = link.claims.get(claim);
      // Where the old name was ours, that is over.
      if (!wasEstablished) each?.withdraw((own) => link.says(own.key));
      each?.begin(delay);
    }
    if (wasEstablished || claim !== this.#host) return;
    this.#renamed();
  }

  /** Services are found at the host's new name. */
  #renamed(): void {
    for (const link of this.#links) for (const each of link.claims.values()) each.update();
    this.#options.onRenamed?.(this.#host.name);
  }

  #withdraw(claimed: Claimed): void {
    const { claim } = claimed;
    if (!this.#claimed.delete(claim)) return;
    for (const link of this.#links) {
      const each = link.claims.get(claim);
      link.claims.delete(claim);
      link.changed();
      each?.withdraw((own) => link.says(own.key));
    }
    claimed.onEstablished();
  }

  /** Takes a name that none of our other claims has: they are no rivals on the link. */
  #avoidOwn(claim: Claim): void {
    const taken = new Set<string>();
    for (const other of this.#claimed.keys()) if (other !== claim) taken.add(foldName(other.name));
    while (taken.has(foldName(claim.name))) claim.rename();
  }

  /** Tells who waits for a claim. */
  #settle({ claim, onEstablished }: Claimed): void {
    const isOpen = ({ claims }: ResponderLink): boolean => claims.get(claim)?.isEstablished === false;
    if (!this.#links.some(isOpen)) onEstablished();
  }

  #received(bytes: Uint8Array, origin: DatagramOrigin, family: IpFamily): void {
    const { network } = this.#options;
    const link = this.#links.find(
      (each) => each.link.index === origin.interfaceIndex && each.family === family,
    );
    if (this.#isClosed || link === undefined) return;
    // §11: what was sent to the group comes from the link by nature.
    if (!origin.destination.isMulticast && !network.isOnLink(origin.address)) {
      this.counters.strangers++;
      return;
    }
    const message = decodeMessage(bytes);
    if (message === null) {
      this.counters.malformed++;
      return;
    }
    // §18.3, §18.11: what has another meaning, or says that it failed, is none of ours.
    if (message.opcode !== 0 || message.rcode !== 0) return;
    const isOwn = this.#isOwn(origin.address);
    if (!message.isResponse) {
      // Our own probe, on another interface of the same link, is no rival.
      if (!isOwn || message.authorities.length === 0) link.query(message, origin);
      return;
    }
    if (isOwn || origin.port !== MDNS_PORT) return;
    link.heard([...message.answers, ...message.additionals]);
  }

  #isOwn(address: IpAddress): boolean {
    const bare = address.inZone(0);
    return this.#options.network
      .links()
      .some(({ addresses }) => addresses.some((own) => own.inZone(0).equals(bare)));
  }
}
