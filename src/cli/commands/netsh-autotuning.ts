/**
 * `winsockd netsh winsock set autotuning on|off` and `show autotuning`: whether send buffers grow with the path, which is what Windows
 * means by Winsock's own tuning (that of receive buffers is `netsh interface tcp`'s).
 */

import type { Command } from 'commander';
import type { TcpSettingsStatus } from '../../port/index.ts';
import { leaf, type Session } from '../command.ts';
import { ExitCode, usageError } from '../exit-codes.ts';
import { LASTS, TCP_SETTINGS } from './netsh-tcp.ts';

/** What the stack grows to by itself. */
const SEND_BUFFER_MAX = 16 << 20;

export function showAutotuning(session: Session): Command {
  const summary = 'whether send buffers grow with the path';
  return leaf(session, 'autotuning', summary, async ({ client, print }) => {
    const { sendBufferSize, sendBufferMax } = await client.get<TcpSettingsStatus>(TCP_SETTINGS);
    const isOn = sendBufferMax > sendBufferSize;
    const grow = isOn ? `they grow from ${sendBufferSize} to at most` : 'they stay at';
    print({ isOn, sendBufferSize, sendBufferMax }, () => {
      const state = isOn ? 'enabled' : 'disabled';
      return `Winsock send autotuning is ${state}: ${grow} ${Math.max(sendBufferSize, sendBufferMax)} bytes.\n\n`;
    });
    return ExitCode.ok;
  });
}

export function setAutotuning(session: Session): Command {
  const summary = 'let send buffers grow with the path, or not';
  return leaf(session, 'autotuning', summary, async ({ client, args, print }) => {
    const [word = ''] = args;
    const isOn = { on: true, off: false }[word.toLowerCase()];
    if (isOn === undefined) throw usageError('autotuning', word, 'on or off');
    const { sendBufferSize } = await client.get<TcpSettingsStatus>(TCP_SETTINGS);
    const body = { sendBufferMax: isOn ? SEND_BUFFER_MAX : sendBufferSize };
    const now = await client.ask<TcpSettingsStatus>('PATCH', TCP_SETTINGS, { body });
    print(now, () => LASTS);
    return ExitCode.ok;
  }).argument('<state>', 'on or off');
}
