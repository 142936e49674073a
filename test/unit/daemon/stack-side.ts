/** Applications of a stack that lives on the machine's clock, in promises; and servers of the machine, on its loopback address. */

import { createSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { IpAddress } from '../../../src/base/index.ts';
import { takeEchoEvent } from '../../../src/daemon/echo.ts';
import { tellOwner } from '../../../src/daemon/relay/endpoint-owner.ts';
import { createHost, type RunningHost } from '../../../src/engine/index.ts';
import { parseAddress, SimDatagramSocket, SimListener, SimStream } from '../../../src/sim/index.ts';
import type { Endpoint } from '../../../src/stack/index.ts';

const listener = { settled(): void {} };

/** A host without a link, whose endpoints may be the daemon's own or a test's. */
export function makeLiveHost(): RunningHost {
  return createHost({
    observer: (endpoint: Endpoint, events: number) => {
      if (takeEchoEvent(endpoint) || tellOwner(endpoint, events)) return;
      const { context } = endpoint;
      if (context instanceof SimStream) context.happened(events);
      else if (context instanceof SimListener || context instanceof SimDatagramSocket) context.happened();
    },
  });
}

export async function stackConnect(
  { stack }: RunningHost,
  address: string,
  port: number,
): Promise<SimStream> {
  const endpoint = stack.openTcp(parseAddress(address).family);
  const stream = new SimStream(endpoint, listener);
  try {
    return await stream.open(parseAddress(address), port);
  } catch (error) {
    stream.close();
    throw error;
  }
}

export function stackListen({ stack }: RunningHost, port: number): SimListener {
  const endpoint = stack.openTcp();
  if (endpoint.bind(IpAddress.anyV4, port) < 0) throw new Error(`port ${port} is taken`);
  endpoint.listen(10);
  return new SimListener(endpoint, listener);
}

export function stackUdp({ stack }: RunningHost, port = 0, family: 4 | 6 = 4): SimDatagramSocket {
  const endpoint = stack.openUdp(family);
  if (endpoint.bind(family === 4 ? IpAddress.anyV4 : IpAddress.anyV6, port) < 0)
    throw new Error(`port ${port} is taken`);
  return new SimDatagramSocket(endpoint, listener);
}

/** A connection of the machine to a port on its loopback address. */
export function hostConnect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A server of the machine. @returns it and its port */
export function hostServer(
  serve: (socket: Socket) => void,
  address = '127.0.0.1',
): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true }, serve);
    server.listen(0, address, () => {
      resolve({ server, port: (server.address() as { port: number }).port });
    });
  });
}

/** All bytes up to the end; rejects on a reset. */
export function readToEnd(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.once('end', () => resolve(Buffer.concat(parts)));
    socket.once('error', reject);
  });
}

/** A UDP socket of the machine that sends back what it gets, with a mark before it. @returns its port, and what ends it */
export function hostUdpEcho(address = '127.0.0.1'): Promise<{ port: number; close(): void }> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (bytes, from) => {
      socket.send(Buffer.concat([Buffer.from('>'), bytes]), from.port, from.address);
    });
    socket.bind(0, address, () => {
      resolve({ port: socket.address().port, close: () => socket.close() });
    });
  });
}
