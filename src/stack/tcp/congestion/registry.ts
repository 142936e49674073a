/**
 * Which congestion controls there are, by name; {@link createControl} makes the one of a connection.
 */

import { Bbr } from './bbr/bbr.ts';
import type { CongestionControl, CongestionControlFactory } from './control.ts';
import { Cubic } from './cubic.ts';
import { LedbatPlusPlus } from './ledbat.ts';
import { NewReno } from './newreno.ts';

const FACTORIES = {
  cubic: () => new Cubic(),
  newreno: () => new NewReno(),
  bbr: () => new Bbr(),
  ledbat: () => new LedbatPlusPlus(),
} satisfies Record<string, CongestionControlFactory>;

/** The controls that come with the stack. */
export type CongestionControlName = keyof typeof FACTORIES;

/** One that comes with the stack, or a maker of others. */
export type CongestionControlChoice = CongestionControlName | CongestionControlFactory;

/** All names, the default first. */
export const CONGESTION_CONTROLS = Object.keys(FACTORIES) as readonly CongestionControlName[];

/** Whether `name` is one of {@link CONGESTION_CONTROLS}. */
export function isCongestionControl(name: string): name is CongestionControlName {
  return Object.hasOwn(FACTORIES, name);
}

/** @throws RangeError for a name that does not exist */
export function checkChoice(choice: CongestionControlChoice): void {
  if (typeof choice === 'function' || isCongestionControl(choice)) return;
  throw new RangeError(`no congestion control is called ${choice}: use ${CONGESTION_CONTROLS.join(', ')}`);
}

/** @param isPaced whether it has to be paced; some are in any case */
export function createControl(choice: CongestionControlChoice, isPaced: boolean): CongestionControl {
  const control = typeof choice === 'function' ? choice() : FACTORIES[choice]();
  if (isPaced) control.isPaced = true;
  return control;
}

/**
 * Another control for a connection that is under way: what the old one knew of the path goes on with it.
 * @param srtt smoothed round-trip time; negative when there is none yet
 */
export function replaceControl(
  old: CongestionControl,
  choice: CongestionControlChoice,
  isPaced: boolean,
  srtt: number,
  now: number,
): CongestionControl {
  const control = createControl(choice, isPaced);
  control.start(old.smss, false, srtt, now);
  control.cwnd = old.cwnd;
  // A model knows no threshold, but where the path is full.
  control.ssthresh = old.isModelBased ? old.cwnd : old.ssthresh;
  return control;
}
