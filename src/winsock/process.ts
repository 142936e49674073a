/**
 * The state of Winsock in one process: start-up count, handles, catalog, providers. What ws2_32 keeps in its data segment.
 */

import { WSA_FLAG_OVERLAPPED, WSAENOTSOCK, WSANOTINITIALISED } from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import {
  type AfdPort,
  type BehaviorProfile,
  type CatalogPort,
  type CatalogSnapshot,
  type NameSpaceEntry,
  NO_CATALOG,
} from '../port/index.ts';
import {
  type Application,
  type BaseProvider,
  baseEntries,
  CallTap,
  Catalog,
  type ChainObserver,
  catalogDefaults,
  catalogIn,
  catalogOf,
  createBaseProvider,
  LAYER_LIMIT,
  type LoadProvider,
  Providers,
  setWs2Exports,
  type WSAOVERLAPPED,
} from '../spi/index.ts';
import { ConfigChanges } from './config/config-changes.ts';
import { failSocket } from './failed-provider.ts';
import { HandleTable, type SocketHandle } from './handles.ts';
import { ioManager } from './io-manager.ts';
import { ws2Exports } from './layer-exports.ts';
import { type NameOptions, NameState } from './names/name-state.ts';
import { loadModule } from './provider-modules.ts';
import { Threads, type WinsockThread } from './threads.ts';
import { upcallTable } from './upcall-table.ts';
import { type PostMessage, Windows } from './windows.ts';

/** What a process brings along. */
export interface WinsockOptions extends NameOptions {
  /** The session with the sockets; taken over. */
  readonly port: AfdPort;
  /** Whose behaviour is shown where versions of Windows differ; absent: what the other side of the port says. */
  readonly profile?: BehaviorProfile | undefined;
  /**
   * The catalog that the process starts with, or where each WSAStartup after none finds it (CFG-FAIL-05); when absent that of
   * `catalogPort`, or the default entries of the profile.
   */
  readonly catalog?: Catalog | (() => Catalog) | undefined;
  /** The way to the catalog as it is kept, which the configuration functions read and change; without it there is none. */
  readonly catalogPort?: CatalogPort | undefined;
  /** Whose calls these are: by it the catalog says which layers are loaded, and layers which rules hold. */
  readonly application?: Application | undefined;
  /** Finds installed providers; modules are imported when absent. */
  readonly loadProvider?: LoadProvider | undefined;
  /** Is told what layers do, and what they do wrong. */
  readonly observer?: ChainObserver | undefined;
  /** Longest time that a layer may take for a call that may not wait, ms. */
  readonly layerLimit?: number | undefined;
  /** Most handles that are open at once; default 2²⁴, as on Windows. */
  readonly maxHandles?: number | undefined;
  /** Timers of waits; the machine's clock when absent. */
  readonly scheduler?: Scheduler;
  /** The windows of the process; its own when absent. */
  readonly windows?: Windows;
  /** Takes messages to windows that the process has elsewhere. */
  readonly postMessage?: PostMessage;
}

export class WinsockProcess {
  /** Whose behaviour is shown where versions of Windows differ. */
  readonly profile: BehaviorProfile;
  readonly handles: HandleTable;
  /** As the process found it when it started Winsock. */
  catalog: Catalog;
  readonly catalogPort: CatalogPort;
  readonly configChanges = new ConfigChanges();
  readonly base: BaseProvider;
  readonly application: Application | null;
  readonly providers: Providers;
  readonly scheduler: Scheduler;
  readonly naming: NameState;
  readonly windows: Windows;
  readonly postMessage: PostMessage;
  readonly threads = new Threads();
  /** Where calls of its providers can be watched. */
  readonly tap = new CallTap();
  /** Whose call begins: see `threads.ts`. */
  thread: WinsockThread;
  /** Successful WSAStartups without their WSACleanup (SEM-VER-14). */
  startups = 0;
  /** Some user of the process negotiated 2.x: the rules of 1.1 are lifted (SEM-VER-18). */
  usesVersion2 = false;

  readonly #otherWindows: PostMessage | null;
  readonly #findCatalog: (() => Catalog) | null;
  /** Ends following the catalog. */
  #unfollow: (() => void) | null = null;

  constructor(options: WinsockOptions) {
    const { catalog, observer = {} } = options;
    this.#findCatalog =
      catalog === undefined ? null : typeof catalog === 'function' ? catalog : () => catalog;
    this.application = options.application ?? null;
    this.handles = new HandleTable(options.maxHandles);
    this.scheduler = options.scheduler ?? machineTime;
    this.profile = options.profile ?? options.port.profile ?? 'windows';
    this.catalog = this.#findCatalog?.() ?? new Catalog(baseEntries(this.profile));
    this.catalogPort = catalogIn(options.catalogPort ?? NO_CATALOG, this.profile);
    this.base = createBaseProvider(options.port, this.profile, this.scheduler, ioManager(this), this.tap);
    this.tap.depthOf = (s) => Math.max((this.handles.socket(s)?.provider.entry.ChainLen ?? 1) - 1, 0);
    this.naming = new NameState(
      { nameSpaces: () => this.#nameSpaces(), ...options },
      this.profile,
      this.scheduler,
    );
    this.windows = options.windows ?? new Windows(() => this.scheduler.now());
    this.thread = this.threads.open(this.windows.main);
    this.#otherWindows = options.postMessage ?? null;
    this.postMessage = (hWnd, message, wParam, lParam) =>
      this.windows.post(hWnd, message, wParam, lParam) ||
      (this.#otherWindows?.(hWnd, message, wParam, lParam) ?? false);
    const { exports, post } = ws2Exports(this);
    const upcalls = Object.freeze(upcallTable(this, post));
    setWs2Exports(upcalls, exports);
    const { handles, base, scheduler } = this;
    const currentCatalog = (): Catalog => this.catalog;
    this.providers = new Providers({
      base,
      upcalls,
      observer,
      tap: this.tap,
      scheduler,
      get catalog() {
        return currentCatalog();
      },
      load: options.loadProvider ?? loadModule,
      limit: options.layerLimit ?? LAYER_LIMIT,
      running: null,
      waiting: null,
      identify: (s) => handles.socketOrClosing(s),
      isNonBlocking: (s) => handles.socket(s)?.isNonBlocking === true,
      mayLinger: (s) => handles.socketOrClosing(s)?.mayLinger !== false,
      isOverlapped: (s) => ((this.socketFlags(s) ?? 0) & WSA_FLAG_OVERLAPPED) !== 0,
      failed: (fault) => {
        failSocket(this, fault.s);
        this.providers.explain(`${fault.layer}: ${fault.call}: ${fault.detail}`);
        observer.fault?.(fault);
      },
      closeBelow: (s) => void this.closeBelow(s),
    });
  }

  /**
   * Winsock is started where it was not: the catalog of today counts. One that can't be read leaves the default entries.
   * @returns a promise when the catalog is elsewhere
   */
  refreshCatalog(): Promise<void> | null {
    if (this.#findCatalog !== null) {
      this.catalog = this.#findCatalog();
      return null;
    }
    const take = (snapshot: CatalogSnapshot | null): void => {
      this.catalog =
        snapshot === null ? new Catalog(baseEntries(this.profile)) : catalogOf(snapshot, this.application);
    };
    const read = this.catalogPort.read();
    if (read instanceof Promise) return read.then(take);
    take(read);
    return null;
  }

  /** The name spaces as they are kept; of the built-in ones, those that the profile has. */
  async #nameSpaces(): Promise<readonly NameSpaceEntry[] | null> {
    const snapshot = await this.catalogPort.read();
    const { nameSpaces } = catalogDefaults(this.profile);
    const isHere = ({ path, providerId }: NameSpaceEntry): boolean =>
      path !== '' || nameSpaces.some((space) => space.providerId === providerId);
    return snapshot?.nameSpaces.filter(isHere) ?? null;
  }

  /** A process on Windows Mobile sees the catalog as it is, while it runs (WM-04, WM-05). */
  followCatalog(): void {
    if (this.profile === 'windows-mobile') {
      this.#unfollow ??= this.catalogPort.watch(() => void this.refreshCatalog());
    }
  }

  /** The last WSACleanup. */
  forgetCatalog(): void {
    this.#unfollow?.();
    this.#unfollow = null;
    this.configChanges.end(this.handles);
  }

  /** Closes what a layer could not close. */
  closeBelow(s: number): void {
    const own = this.handles.socketOrClosing(s)?.own ?? null;
    if (own === null) this.base.close(s);
    else this.providers.contained(() => own.abandon?.(), undefined)();
  }

  /** WSA_FLAG_* that a socket was made with; `null`: its layer does not say. */
  socketFlags(s: number): number | null {
    const socket = this.handles.socket(s);
    return socket?.isOwn === true ? (socket.own?.flags ?? null) : this.base.socketFlags(s);
  }

  /** Ends operations of a socket; its own provider knows what is under way on it, without one the base provider does. */
  cancelOperations(s: number, lpOverlapped: WSAOVERLAPPED | null, thread: number | null): number {
    const socket = this.handles.socket(s);
    const own = socket?.own ?? null;
    if (socket === null || own === null) return this.base.cancelOperations(s, lpOverlapped, thread);
    const layer = { name: socket.provider.entry.szProtocol, path: '' };
    return this.providers.contained(() => own.cancel(lpOverlapped, thread) | 0, 0, layer)();
  }

  /** Whether the rules of 1.1 hold; Windows Mobile does not have them. */
  get isVersion1(): boolean {
    return !this.usesVersion2 && this.startups > 0 && this.profile === 'windows';
  }

  /** Whether there may be such a window: of windows elsewhere nothing is known. */
  mayHaveWindow(hWnd: number): boolean {
    return this.windows.has(hWnd) || this.#otherWindows !== null;
  }

  /** The open socket of a handle; `null`: see {@link whyNoSocket}. */
  socket(s: number): SocketHandle | null {
    return this.startups > 0 ? this.handles.socket(s) : null;
  }

  /** What a call answers that found no socket (SEM-C-01 before SEM-C-04). */
  whyNoSocket(): number {
    return this.startups > 0 ? -WSAENOTSOCK : -WSANOTINITIALISED;
  }
}

/** Real time. A timer keeps the process alive until it is over or not needed any more: a call waits for it. */
const machineTime: Scheduler = {
  now: () => performance.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
