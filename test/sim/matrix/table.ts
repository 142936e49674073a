/**
 * The matrix as two tables of text, one line a cell.
 */

import { type FlowResult, fairness, makeBottleneck } from './bottleneck.ts';
import { type Cell, SHARED, SINGLE } from './cells.ts';

/** Runs a cell. @returns its line of the table */
export function lineOf(cell: Cell): string {
  const { path, flows, from, end, note } = cell;
  const results = makeBottleneck(path, flows).run(from, end);
  const figures =
    flows.length === 1 ? ofOne(results, path.megabits) : [note, ...ofSeveral(results, path.megabits)];
  return `| ${[...pathColumns(cell), ...figures].join(' | ')} |`;
}

/** What a cell is called, in tests. */
export function nameOf(cell: Cell): string {
  const [rate, rtt, buffer, loss, reorder] = pathColumns(cell);
  const path = `${rate} Mbit/s, ${rtt} ms, buffer ${buffer}, loss ${loss} %, reordering ${reorder} %`;
  return cell.note === '' ? path : `${path}, two flows, ${cell.note}`;
}

/** The page around the lines. */
export function pageOf(lines: ReadonlyMap<Cell, string>): string {
  const linesOf = (cells: readonly Cell[]): string[] => cells.map((cell) => lines.get(cell) ?? '');
  return [
    '# Goodput and fairness',
    '',
    'Bulk transfers between simulated hosts, with the defaults of the stack, in virtual time. Written by `scripts/matrix`; a run is',
    'the same to the byte for the same code, so a line that changes shows what a change of the code does. The buffer before the',
    'bottleneck is in products of bandwidth and round trip.',
    '',
    '## One flow',
    '',
    '| Mbit/s | RTT ms | buffer | loss % | reordered % | goodput Mbit/s | of the rate % | retransmitted % | RTT at the end ms |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...linesOf(SINGLE),
    '',
    '## Two flows',
    '',
    'Fairness is Jain’s index: 1 when both get the same, 0.5 when one gets all.',
    '',
    '| Mbit/s | RTT ms | buffer | loss % | reordered % | | goodputs Mbit/s | of the rate % | fairness | retransmitted % |',
    '| ---: | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: |',
    ...linesOf(SHARED),
    '',
  ].join('\n');
}

function pathColumns({ path }: Cell): string[] {
  const percent = (share: number | undefined): string => String(Number(((share ?? 0) * 100).toFixed(3)));
  return [
    String(path.megabits),
    String(path.rtt),
    String(path.buffer),
    percent(path.loss),
    percent(path.reorder),
  ];
}

function ofOne([result]: readonly FlowResult[], megabits: number): string[] {
  const { goodput, retransmitted, srtt } = result as FlowResult;
  return [goodput.toFixed(2), share(goodput, megabits), (retransmitted * 100).toFixed(2), srtt.toFixed(0)];
}

function ofSeveral(results: readonly FlowResult[], megabits: number): string[] {
  const goodputs = results.map(({ goodput }) => goodput);
  const sum = goodputs.reduce((total, goodput) => total + goodput, 0);
  return [
    goodputs.map((goodput) => goodput.toFixed(2)).join(' + '),
    share(sum, megabits),
    fairness(goodputs).toFixed(3),
    results.map(({ retransmitted }) => (retransmitted * 100).toFixed(2)).join(', '),
  ];
}

function share(goodput: number, megabits: number): string {
  return ((100 * goodput) / megabits).toFixed(1);
}
