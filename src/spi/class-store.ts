/**
 * Classes of services as a name-space provider keeps them: NSPInstallServiceClass and its two siblings.
 */

import {
  packWSASERVICECLASSINFO,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEALREADY,
  WSAEFAULT,
  type WSASERVICECLASSINFO,
  WSATYPE_NOT_FOUND,
} from '../abi/index.ts';
import { copyOfClassInfo } from './name-space-check.ts';
import type { Ref } from './types.ts';

/** Most classes that are kept, and bytes of one. */
const CLASSES_MAX = 1024;
const CLASS_MAX = 1 << 16;

export class ClassStore {
  readonly #classes = new Map<string, WSASERVICECLASSINFO>();

  install(info: WSASERVICECLASSINFO): number {
    const id = info.lpServiceClassId.toUpperCase();
    if (this.#classes.has(id)) return -WSAEALREADY;
    if (this.#classes.size >= CLASSES_MAX || packWSASERVICECLASSINFO(info, 'W').length > CLASS_MAX)
      return -WSA_NOT_ENOUGH_MEMORY;
    this.#classes.set(id, copyOfClassInfo(info));
    return 0;
  }

  remove(lpServiceClassId: string): number {
    return this.#classes.delete(lpServiceClassId.toUpperCase()) ? 0 : -WSATYPE_NOT_FOUND;
  }

  /** Fills in the class whose id `into` has. @param lpdwBufSize bytes of room in the W form; of need with WSAEFAULT */
  get(lpdwBufSize: Ref, into: WSASERVICECLASSINFO): number {
    const found = this.#classes.get(into.lpServiceClassId.toUpperCase());
    if (found === undefined) return -WSATYPE_NOT_FOUND;
    const length = packWSASERVICECLASSINFO(found, 'W').length;
    if (lpdwBufSize.value < length) {
      lpdwBufSize.value = length;
      return -WSAEFAULT;
    }
    Object.assign(into, copyOfClassInfo(found));
    return 0;
  }
}
