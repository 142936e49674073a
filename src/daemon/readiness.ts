/**
 * When the host's addresses may be used. On an Ethernet others are asked first whether they have them (RFC 5227, RFC 4862 §5.4),
 * which takes seconds, and a server or a router may have to answer. The daemon is not ready before, or before the bound is over.
 */

import type { Scheduler } from '../base/index.ts';
import type { AddressView, InterfaceView, Stack } from '../stack/index.ts';
import type { LinkSettings } from './link-settings.ts';

/** A link of the host, and how its addresses come. */
export interface ReadinessLink {
  readonly index: number;
  readonly settings: Pick<LinkSettings, 'dhcp' | 'autoconf'>;
}

export class Readiness {
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #links: readonly ReadinessLink[];
  #look: () => void = () => {};

  constructor(stack: Stack, scheduler: Scheduler, links: readonly ReadinessLink[]) {
    this.#stack = stack;
    this.#scheduler = scheduler;
    this.#links = links;
  }

  /** What there is to wait for now, in words; empty: all may be used. */
  get missing(): string[] {
    return this.#links.flatMap((link) => {
      const view = this.#stack.interfaces.find(({ index }) => index === link.index);
      return view === undefined ? [] : missingOn(view, link.settings, this.#stack);
    });
  }

  /** The configuration of the stack has changed. */
  changed(): void {
    this.#look();
  }

  /**
   * Waits until all may be used.
   * @param tell called with what there is to wait for, at first and when it is something else
   * @returns what is still missing when the bound is over
   */
  wait(boundMs: number, tell: (missing: readonly string[]) => void): Promise<readonly string[]> {
    let told = '';
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const settle = (missing: readonly string[]): void => {
        cancel();
        this.#look = () => {};
        resolve(missing);
      };
      this.#look = () => {
        const { missing } = this;
        if (missing.length === 0) {
          settle(missing);
          return;
        }
        const text = missing.join('; ');
        if (text !== told) tell(missing);
        told = text;
      };
      cancel = this.#scheduler.after(boundMs, () => settle(this.missing));
      this.#look();
    });
  }
}

function missingOn(
  view: InterfaceView,
  { dhcp, autoconf }: ReadinessLink['settings'],
  stack: Stack,
): string[] {
  const missing: string[] = [];
  const { name, addresses } = view;
  for (const { address, state } of addresses) {
    if (state === 'tentative') missing.push(`${name}: asking whether somebody else has ${address}`);
  }
  const isChecking = missing.length > 0;
  if (dhcp && !addresses.some((held) => held.address.family === 4 && isUsable(held))) {
    const { v4 } = stack.dhcpStatus(view.index);
    if (v4?.state === 'CHECKING')
      missing.push(`${name}: asking whether somebody else has what a DHCP server granted`);
    else if (!isChecking) missing.push(`${name}: no DHCP server has granted an address yet`);
  }
  // A host with other addresses does not need what a router may give.
  const hasOther = addresses.some((held) => held.origin !== 'linkLocal' && isUsable(held));
  if (autoconf && !dhcp && !isChecking && !hasOther)
    missing.push(`${name}: no router has advertised a prefix yet`);
  return missing;
}

function isUsable({ state }: AddressView): boolean {
  return state === 'preferred' || state === 'deprecated';
}
