/**
 * Names and sentences of the Win32 codes that have no Winsock name: what completion ports and their kin answer.
 */

/** A code's name and the two sentences that an error message is made of. */
export interface ErrorSentences {
  /** Microsoft's name of the code. */
  readonly name: string;
  /** One sentence: what is the matter. */
  readonly cause: string;
  /** One sentence: what to do. */
  readonly remedy: string;
}

function text(name: string, cause: string, remedy: string): ErrorSentences {
  return { name, cause, remedy };
}

/** By code. */
export const WIN32_ERROR_TEXTS: ReadonlyMap<number, ErrorSentences> = new Map([
  [50, text('ERROR_NOT_SUPPORTED', 'The request is not supported.', 'Do without it.')],
  [59, text('ERROR_UNEXP_NET_ERR', 'The network failed unexpectedly.', 'Look at the socket by Winsock.')],
  [
    64,
    text('ERROR_NETNAME_DELETED', 'The peer has reset the connection.', 'Close the socket and connect anew.'),
  ],
  [121, text('ERROR_SEM_TIMEOUT', 'The peer has not answered in time.', 'Connect anew, or wait longer.')],
  [
    122,
    text(
      'ERROR_INSUFFICIENT_BUFFER',
      'A buffer is too small for what it is to hold.',
      'Make room as the call describes it.',
    ),
  ],
  [
    233,
    text('ERROR_PIPE_NOT_CONNECTED', 'This direction was shut down.', 'Use a connection that is still open.'),
  ],
  [234, text('ERROR_MORE_DATA', 'The message is longer than the buffer.', 'Receive into a larger buffer.')],
  [258, text('WAIT_TIMEOUT', 'Nothing came in time.', 'Wait longer, or do something else meanwhile.')],
  [735, text('ERROR_ABANDONED_WAIT_0', 'The completion port was closed meanwhile.', 'Stop waiting for it.')],
  [1168, text('ERROR_NOT_FOUND', 'There is nothing of the kind.', 'The operation may have ended by itself.')],
  [1225, text('ERROR_CONNECTION_REFUSED', 'Nobody listens there.', 'Check the address and the port.')],
  [1226, text('ERROR_GRACEFUL_DISCONNECT', 'The peer has ended the connection.', 'Close the socket.')],
  [1230, text('ERROR_CONNECTION_ACTIVE', 'The socket is connected already.', 'Use another socket.')],
  [1231, text('ERROR_NETWORK_UNREACHABLE', 'There is no route to the network.', 'Check the routes.')],
  [1232, text('ERROR_HOST_UNREACHABLE', 'There is no route to the host.', 'Check the routes.')],
  [
    1234,
    text('ERROR_PORT_UNREACHABLE', 'No socket has the port that was sent to.', 'Check the destination.'),
  ],
  [
    1236,
    text('ERROR_CONNECTION_ABORTED', 'The connection was ended on this side.', 'Connect anew when needed.'),
  ],
  [1450, text('ERROR_NO_SYSTEM_RESOURCES', 'There is no room for the operation.', 'Begin fewer at a time.')],
]);
