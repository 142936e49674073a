/**
 * Templates of quality of service by name (API-WSAGetQOSByName, SPI-WSPGetQOSByName): those that are installed for the provider of a
 * socket's entry. They say what a kind of traffic asks for; nothing is reserved by reading one.
 */

import { WSAEFAULT, WSAEINVAL, WSAENOTSOCK } from '../abi/index.ts';
import { copyOf, copyOrNull } from '../base/index.ts';
import type { QosTemplate } from '../port/index.ts';
import type { BaseState } from './base-state.ts';
import { flowspecOf } from './flowspec.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, QOS, WSABUF } from './types.ts';

const TRUE = 1;

export function baseQosCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPGetQOSByName'> {
  return {
    /** An empty name asks for the names that there are, each with a zero behind it, and one more at the end. */
    WSPGetQOSByName(s, lpQOSName, lpQOS): Answer {
      const socket = base.sockets.get(s);
      if (socket === undefined) return -WSAENOTSOCK;
      if (lpQOSName === null) return -WSAEFAULT;
      const name = copyOf(untilZero(lpQOSName));
      if (name.length > 0 && lpQOS === null) return -WSAEFAULT;
      const find = (templates: readonly QosTemplate[]): number => {
        const own = templates.filter(({ providerId }) => providerId === socket.info.ProviderId);
        if (name.length === 0) return writeNames(own, lpQOSName);
        const found = own.find((template) => areSame(untilZero(template.name), name));
        if (found === undefined || lpQOS === null) return -WSAEINVAL;
        fill(lpQOS, found);
        return TRUE;
      };
      const templates = base.io.qosTemplates();
      return templates instanceof Promise ? templates.then(find) : find(templates);
    },
  };
}

function writeNames(templates: readonly QosTemplate[], into: WSABUF): number {
  const names = templates.map(({ name }) => untilZero(name));
  const needed = names.reduce((total, name) => total + name.length + 1, 1);
  if (into.length < needed) return -WSAEFAULT;
  into.fill(0);
  let at = 0;
  for (const name of names) {
    into.set(name, at);
    at += name.length + 1;
  }
  return TRUE;
}

function fill(qos: QOS, { sending, receiving, providerSpecific }: QosTemplate): void {
  qos.SendingFlowspec = flowspecOf(sending);
  qos.ReceivingFlowspec = flowspecOf(receiving);
  qos.ProviderSpecific = copyOrNull(providerSpecific);
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
