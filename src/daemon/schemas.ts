/** Values that several settings are made of. */

import { z } from 'zod';
import { IpAddress, type IpFamily, parsePrefix } from '../base/index.ts';
import type { NatPortMapRequest } from '../port/index.ts';
import { isInterfaceAddress } from '../stack/index.ts';

const PREFIX = 'a host’s address with its prefix length, such as 10.77.0.2/24 or fd00:77::2/64';
export const prefix = z.string().refine(isPrefix, PREFIX);
export const gateway = z
  .string()
  .refine((text) => isOther(text, 4), 'a router’s IPv4 address, such as 10.77.0.1');
export const gateway6 = z
  .string()
  .refine((text) => isOther(text, 6), 'a router’s IPv6 address, such as fd00:77::1');
export const deviceName = z.string().regex(/^[^\s/:,=]{1,15}$/, 'an interface name of 1 to 15 characters');
export const namespace = z.string().min(1, 'a namespace under /run/netns, or an absolute path');
export const mtu = z.number().int('a whole number').min(68, '68 to 65535').max(65_535, '68 to 65535');

/** `tcp:8080=192.168.5.9:80`: what comes to port 8080 of the outside address is for port 80 of that host. */
export const portMap = z.string().transform((text, context): NatPortMapRequest => {
  const [, protocol, outside, address = '', inside] = /^(tcp|udp):(\d+)=([\d.]+):(\d+)$/.exec(text) ?? [];
  const outsidePort = Number(outside);
  const insidePort = Number(inside);
  const isRight = isPort(outsidePort) && isPort(insidePort) && isOther(address, 4);
  if (!isRight) {
    context.addIssue({ code: 'custom', message: 'a port map, such as tcp:8080=192.168.5.9:80' });
    return z.NEVER;
  }
  return { protocol: protocol === 'tcp' ? 'tcp' : 'udp', outsidePort, insideAddress: address, insidePort };
});

function isPrefix(text: string): boolean {
  const prefix = text.includes('/') ? parsePrefix(text) : null;
  return prefix !== null && isInterfaceAddress(prefix.address, prefix.length);
}

/** Whether it can be another host's: a router's, say. */
function isOther(text: string, family: IpFamily): boolean {
  const address = IpAddress.parse(text);
  return address?.family === family && address.isHost && !address.isLoopback;
}

function isPort(value: number): boolean {
  return value >= 1 && value <= 65_535;
}
