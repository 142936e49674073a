/**
 * Why a connection or a server could not be had: a stable code, and a sentence that says what to do.
 */

/** What went wrong, for programs. */
export type IpcErrorCode =
  /** Nobody listens on the path. */
  | 'daemonNotThere'
  /** The path may not be opened by this user, or the daemon refused the user. */
  | 'notPermitted'
  /** The daemon said GOODBYE before the handshake was done. */
  | 'refused'
  /** What answered does not speak the protocol. */
  | 'notTheDaemon'
  /** Another server has the path. */
  | 'pathInUse'
  /** The server could not listen for another reason. */
  | 'cannotListen';

export class IpcError extends Error {
  override readonly name = 'IpcError';
  readonly code: IpcErrorCode;
  /** The process that has the path, for `pathInUse`, when it is known; else 0. */
  readonly ownerPid: number;

  constructor(code: IpcErrorCode, message: string, ownerPid = 0) {
    super(message);
    this.code = code;
    this.ownerPid = ownerPid;
  }
}
