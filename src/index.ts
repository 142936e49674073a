/**
 * winsockd: Winsock 2.2 with its whole protocol stack, in userland.
 *
 * The package's front door: a stack to drive yourself (`createStack`), a host that lives on the machine's clock
 * (`createHost`, and `createLocalHost` with sockets), links to put under them, networks of hosts in virtual time
 * (`createNetwork`), and the choice of where an application's sockets live (`attachTo`). Everything else has a subpath:
 * `winsockd/winsock`, `winsockd/winsock/async`, `winsockd/net`, `winsockd/dgram`, `winsockd/spi`, `winsockd/abi`, and the rooms
 * `wire`, `stack`, `link`, `link/device`, `capture`, `sim` and `native` with all that they export.
 */

export {
  type Attachment,
  type AttachOptions,
  attach,
  attachedTo,
  attachTo,
  createLocalHost,
  type LocalHost,
  type LocalHostOptions,
  type LocalSockets,
} from './app/index.ts';
export { IpAddress, SeededRandom } from './base/index.ts';
export {
  CaptureRecorder,
  createHost,
  Driver,
  type HostLink,
  type HostOptions,
  RealTime,
  type RunningHost,
} from './engine/index.ts';
export { ImpairedLink, type ImpairSettings, type Link, LoopbackLink, MemorySegment } from './link/index.ts';
export { createNetwork, Network, SimHost, VirtualTime } from './sim/index.ts';
export {
  createStack,
  type Endpoint,
  EndpointEvent,
  type Stack,
  StackError,
  type StackOptions,
  type TcpEndpoint,
  type UdpEndpoint,
} from './stack/index.ts';
export { type Winsock, WinsockError } from './winsock/index.ts';
