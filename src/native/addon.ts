/**
 * The addon as JavaScript sees it: one type per function of `native/module.c`. Internal to the room; use `Device`,
 * `peerCredentials` and `dropPrivileges`.
 *
 * A failed system call throws an Error with `code`, `errno` and `syscall`, which `errors.ts` turns into a `DeviceError`.
 */

/** An open device, known only to the addon. Collected, it is closed. */
export type NativeDevice = { readonly __nativeDevice: never };

/** What a device is. */
export interface NativeDescription {
  readonly name: string;
  readonly isTap: boolean;
  readonly hasVnetHeader: boolean;
  readonly isPersist: boolean;
  /** `OFFLOAD_*` bits that the kernel granted. */
  readonly offload: number;
  readonly fd: number;
  /** Interface index, 0 when the interface lies in a namespace that cannot be seen. */
  readonly index: number;
  /** Frames that the device refused since it was opened. */
  readonly dropped: number;
}

/** The interface behind a device, as the kernel describes it. */
export interface NativeInterface {
  readonly isUp: boolean;
  readonly mtu: number;
  readonly queueLength: number;
  readonly mac: Uint8Array | null;
}

/** An address of the interface: 4 or 16 bytes. */
export interface NativeAddress {
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface NativeAddon {
  open(isTap: boolean, name: string, namespacePath: string | null, offload: number): NativeDevice;
  adopt(fd: number, offload: number): NativeDevice;
  close(device: NativeDevice): void;
  describe(device: NativeDevice): NativeDescription;
  setPersist(device: NativeDevice, isPersist: boolean): void;
  /** @returns the number of frames. */
  readBatch(device: NativeDevice, arena: Uint8Array, table: Int32Array): number;
  /** @returns how many of the frames from `first` on are done with. */
  writeBatch(
    device: NativeDevice,
    headers: Uint8Array,
    table: Int32Array,
    payloads: Uint8Array[],
    first: number,
    count: number,
  ): number;
  /** `status` is 0 or minus an errno, `events` a sum of 1 (readable) and 2 (writable). */
  watch(device: NativeDevice, interest: number, callback: (status: number, events: number) => void): void;
  getInterface(device: NativeDevice): NativeInterface;
  setInterface(
    device: NativeDevice,
    isUp: boolean | null,
    mtu: number | null,
    queueLength: number | null,
    mac: Uint8Array | null,
  ): void;
  changeAddress(device: NativeDevice, isAdd: boolean, address: Uint8Array, prefixLength: number): void;
  listAddresses(device: NativeDevice): NativeAddress[];
  changeRoute(
    device: NativeDevice,
    isAdd: boolean,
    destination: Uint8Array,
    prefixLength: number,
    gateway: Uint8Array | null,
    metric: number,
  ): void;
  peerCredentials(fd: number): PeerCredentials;
  dropPrivileges(uid: number | null, gid: number | null, groups: Int32Array | null): void;
}
