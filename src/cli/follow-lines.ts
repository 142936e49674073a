/** Streams of the daemon that come as lines, until they end or the user has seen enough. */

import type { IncomingMessage } from 'node:http';
import { type Invocation, unlessAborted } from './command.ts';
import { CliError, ExitCode } from './exit-codes.ts';

/**
 * Hands each line over as it comes. Interrupting ends it in good order.
 * @param take answers whether it wants more
 * @throws {CliError} when the daemon goes away, or refuses
 */
export async function followLines(
  { context, client }: Pick<Invocation<unknown>, 'context' | 'client'>,
  route: string,
  take: (line: string) => boolean,
): Promise<void> {
  const body = await unlessAborted(context, () => client.stream(route));
  if (body === undefined) return;
  try {
    for await (const line of linesOf(body)) if (!take(line)) break;
  } catch (error) {
    if (context.signal.aborted) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    throw new CliError(
      ExitCode.noDaemon,
      'daemon-gone',
      'the daemon went away; what came until then is shown',
    );
  } finally {
    body.destroy();
  }
}

/** The lines of a body, as they come. */
async function* linesOf(body: IncomingMessage): AsyncGenerator<string> {
  body.setEncoding('utf8');
  let rest = '';
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
