import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Longer than the id of any place on a board. */
const ID_MAX_CHARACTERS = 256;

/**
 * Turns places on the notice board into the ids that browsers hold, and back. An id tells its holder nothing: a place
 * is a number that grows with the changes of all customers (with Redis, the time of the newest), and a browser that
 * could make ids up could ask whether anything happened at an instant. So ids are encrypted, and two of the same place
 * differ. Processes with the same key read each other's ids.
 */
export class ResumeIds {
  private readonly key: Uint8Array;

  /** `secret`: 32 bytes in base64. @default a random one: other processes, and the next run, do not know the ids */
  constructor(secret?: string) {
    const material = secret === undefined ? randomBytes(32) : Buffer.from(secret, 'base64');
    this.key = new Uint8Array(hkdfSync('sha256', material, '', 'resume ids of event streams', 32));
  }

  seal(place: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, iv);
    const hidden = Buffer.concat([cipher.update(place), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), hidden]).toString('base64url');
  }

  /** The place; undefined for a text that this key did not seal. */
  open(id: string): string | undefined {
    if (id.length > ID_MAX_CHARACTERS) return undefined;
    const bytes = Buffer.from(id, 'base64url');
    const begin = IV_BYTES + TAG_BYTES;
    if (bytes.length < begin) return undefined;
    const decipher = createDecipheriv(ALGORITHM, this.key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(IV_BYTES, begin));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(begin)), decipher.final()]).toString();
    } catch {
      return undefined; // final() throws exactly when the tag does not fit
    }
  }
}
