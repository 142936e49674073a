/**
 * sim: networks of hosts in one process and in virtual time, for tests: ours and everybody's. No root, no sockets, no waiting.
 *
 * - {@link createNetwork}: segments, hosts, impairments, all from one seed. The same program and the same seed give the
 *   same run, to the byte.
 * - {@link SimHost}: a stack with calls that promise (`tcp.connect`, `tcp.listen`, `udp.open`, `ping`).
 * - {@link runScript}: packet scripts in packetdrill's language against a stack.
 * - {@link VirtualTime}: the clock, for those who build something else with it.
 *
 * Virtual time passes only inside `network.run`. Code that awaits calls on hosts runs in between, at the virtual moment at
 * which its call was done.
 *
 *     const network = createNetwork({ seed: 1 });
 *     const lan = network.segment({ mtu: 1500 });
 *     const a = network.host({ name: 'a', segment: lan, addresses: ['10.0.0.1/24'] });
 *     const b = network.host({ name: 'b', segment: lan, addresses: ['10.0.0.2/24'], impair: { loss: 0.05, delay: 30 } });
 *     const reply = await network.run(a.ping('10.0.0.2'));
 */

export type { SimCapture } from './capture.ts';
export { parseAddress, type SimDatagram, SimDatagramSocket } from './datagram.ts';
export { EndpointError } from './endpoint-error.ts';
export {
  type AttachmentOptions,
  type ConnectOptions,
  type HostOptions,
  type ListenOptions,
  type PingOptions,
  SimHost,
} from './host.ts';
export {
  createNetwork,
  Network,
  type NetworkHostOptions,
  type NetworkOptions,
  type RunOptions,
  SimulationError,
} from './network.ts';
export {
  formatTrace,
  runScript,
  ScriptError,
  type ScriptOptions,
  type ScriptResult,
  type TraceLine,
} from './script/index.ts';
export { SimListener, SimStream } from './stream.ts';
export { type SimTcpEvent, SimTcpTrace } from './tcp-trace.ts';
export { VirtualTime } from './virtual-time.ts';
