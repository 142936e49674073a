/**
 * capture/files: capture files on disk. Apart from `capture`, because it needs Node.
 *
 *     const file = new PcapngFile('run.pcapng', { application: 'winsockd', maxBytes: 64 << 20, maxFiles: 4 });
 *     const frames = new FrameCapture(file.writer);
 *     …
 *     file.close();
 */

export { CaptureFileError, PcapngFile, type PcapngFileOptions } from './pcapng-file.ts';
