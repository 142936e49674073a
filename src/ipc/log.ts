/** How `ipc/` tells what happened, so that it need not know a logger. */
export type IpcLog = (
  level: 'info' | 'warn' | 'error',
  event: string,
  fields: Record<string, unknown>,
) => void;
