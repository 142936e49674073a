/**
 * replay: a layer that plays the other side of recorded connections, without a network.
 *
 * The lesson: a layer that is somebody else. A connect goes to a listener of the layer's own, on the host's loopback, and the layer speaks
 * there as the recorded server did; to an application that listens the layer connects as the recorded clients did. The application's
 * sockets are real ones all the time: every way of sending, receiving and waiting works.
 *
 *     export const WSPStartup = replay({ path: '/tmp/recordings' });
 *
 * Installed as `winsockd/layers/replay` it reads the file or folder that `WINSOCKD_REPLAY` names. `WINSOCKD_REPLAY_SPEED` is how many
 * times as fast as recorded (1; 0: as fast as can be). A connect that was not recorded is WSAECONNREFUSED, or goes out when
 * `WINSOCKD_REPLAY_OTHERS` is `pass`. WSPGetPeerName tells the recorded place of a connect; WSPGetSockName the loopback.
 */

import { env } from 'node:process';
import { defineLayer, type WSPStartup as Startup } from '../../spi/index.ts';
import { linesToStderr } from '../lines.ts';
import type { Recording } from '../record/index.ts';
import { replayCalls } from './calls.ts';
import { RecordingLibrary, readRecordings } from './library.ts';

export { RecordingLibrary, readRecordings } from './library.ts';
export { Player, type PlayerOptions } from './player.ts';

export interface ReplayOptions {
  /** A file or a folder; what the environment names when neither this nor `recordings` is given. */
  readonly path?: string;
  readonly recordings?: readonly Recording[];
  /** How many times as fast as recorded; 0: as fast as can be. */
  readonly speed?: number;
  /** What becomes of connects that were not recorded. */
  readonly others?: 'refuse' | 'pass';
  /** Is told where an application left its recording: the byte of those that it sent. */
  readonly departed?: (recording: Recording, at: number) => void;
}

/** Makes the layer. */
export function replay(options: ReplayOptions = {}): Startup {
  let library: RecordingLibrary | null = null;
  return defineLayer(
    (next, layer) => {
      library ??= new RecordingLibrary(
        options.recordings ?? readRecordings(options.path ?? env['WINSOCKD_REPLAY'] ?? ''),
      );
      return replayCalls(next, layer, library, {
        speed: options.speed ?? speedIn(env['WINSOCKD_REPLAY_SPEED']),
        others: options.others ?? (env['WINSOCKD_REPLAY_OTHERS'] === 'pass' ? 'pass' : 'refuse'),
        departed: options.departed ?? tellStderr,
      });
    },
    { name: 'replay' },
  );
}

/** The layer as it is installed. */
export const WSPStartup: Startup = replay();

function tellStderr({ remote }: Recording, at: number): void {
  linesToStderr()(
    `replay: the application left the recording with ${remote} at byte ${at} of what it sent\n`,
  );
}

function speedIn(text: string | undefined): number {
  const speed = Number(text ?? 1);
  return Number.isFinite(speed) && speed >= 0 ? speed : 1;
}
