/**
 * `winsockd forward`: ports of the host that lead to the stack, and ports of the stack that lead to the host, made and taken away
 * while the daemon runs. The host's side is the machine's own sockets, the stack's side are endpoints like an application's.
 */

import type { Scheduler } from '../base/index.ts';
import { IpAddress } from '../base/index.ts';
import type { ForwardPlace, ForwardRequest, ForwardStatus } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import type { Forward, ForwardParts, Place } from './relay/forward.ts';
import { HostTcpForward, HostUdpForward } from './relay/from-host.ts';
import { StackTcpForward, StackUdpForward } from './relay/from-stack.ts';
import { ForwardError } from './relay/host-errors.ts';

/** Most forwards at a time. */
const MAX_FORWARDS = 256;

interface Entry {
  readonly id: number;
  readonly request: ForwardRequest;
  readonly listen: Place;
  readonly target: Place;
  readonly forward: Forward;
}

export class Forwards {
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;
  #isClosed = false;

  constructor(stack: Stack, scheduler: Scheduler) {
    this.#stack = stack;
    this.#scheduler = scheduler;
  }

  get list(): ForwardStatus[] {
    return [...this.#entries.values()].map(statusOf);
  }

  /** Makes a forward that listens once this is settled. Rejects with a {@link ForwardError} that says what to change. */
  async add(request: ForwardRequest): Promise<ForwardStatus> {
    if (request.listen.side === request.target.side) {
      throw usage(
        'a forward leads from the host to the stack or from the stack to the host: name one of each',
      );
    }
    if (this.#entries.size >= MAX_FORWARDS) {
      throw new ForwardError(409, 'tooMany', `there are ${MAX_FORWARDS} forwards already; remove one first`);
    }
    const target = this.#target(request.target);
    const listen = readListen(request.listen, target);
    const forward = this.#make(request, { stack: this.#stack, scheduler: this.#scheduler, listen, target });
    const id = ++this.#lastId;
    const entry = { id, request, listen, target, forward };
    // It counts from now on: the bound holds while others are being opened.
    this.#entries.set(id, entry);
    try {
      const port = await forward.open();
      if (this.#isClosed) throw new ForwardError(409, 'stopping', 'the daemon is ending');
      const opened = { ...entry, listen: { address: listen.address, port } };
      this.#entries.set(id, opened);
      return statusOf(opened);
    } catch (error) {
      this.#entries.delete(id);
      forward.close();
      throw error;
    }
  }

  /** Ends a forward and resets its connections. @returns what it was; `null` when there is none */
  remove(id: number): ForwardStatus | null {
    const entry = this.#entries.get(id);
    if (entry === undefined) return null;
    this.#entries.delete(id);
    entry.forward.close();
    return statusOf(entry);
  }

  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#entries.keys()]) this.remove(id);
  }

  #make({ protocol, listen }: ForwardRequest, parts: ForwardParts): Forward {
    if (listen.side === 'host')
      return protocol === 'tcp' ? new HostTcpForward(parts) : new HostUdpForward(parts);
    return protocol === 'tcp' ? new StackTcpForward(parts) : new StackUdpForward(parts);
  }

  /** Without an address, the host's is its loopback address, and the stack's its first that others reach too, of IPv4 if it has one. */
  #target({ side, address, port }: ForwardPlace): Place {
    if (port < 1) throw usage('the target needs a port, 1 to 65535');
    if (address !== undefined) return { address: readAddress(address), port };
    if (side === 'host') return { address: IpAddress.loopbackV4, port };
    const own = this.#stack.interfaces
      .filter(({ isLoopback }) => !isLoopback)
      .flatMap(({ addresses }) => addresses)
      .filter((held) => held.state === 'preferred' && !held.address.isScoped)
      .map((held) => held.address);
    return { address: own.find(({ family }) => family === 4) ?? own[0] ?? IpAddress.loopbackV4, port };
  }
}

/** Without an address the host listens on its loopback address only, the stack on all of its own. */
function readListen({ side, address, port }: ForwardPlace, target: Place): Place {
  if (address !== undefined) return { address: readAddress(address), port };
  const isV4 = target.address.family === 4;
  if (side === 'host') return { address: isV4 ? IpAddress.loopbackV4 : IpAddress.loopbackV6, port };
  return { address: isV4 ? IpAddress.anyV4 : IpAddress.anyV6, port };
}

function readAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null) throw usage(`${text} is no internet address; names are not looked up`);
  return address;
}

function usage(message: string): ForwardError {
  return new ForwardError(400, 'badRequest', message);
}

function statusOf({ id, request, listen, target, forward }: Entry): ForwardStatus {
  const shown = (side: ForwardPlace['side'], place: Place): Required<ForwardPlace> => ({
    side,
    address: place.address.toString(),
    port: place.port,
  });
  return {
    id,
    protocol: request.protocol,
    listen: shown(request.listen.side, listen),
    target: shown(request.target.side, target),
    ...forward.figures,
  };
}
