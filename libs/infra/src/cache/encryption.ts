import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { invalidOption } from './cache.errors.js';

/** A key of 32 bytes and the name under which envelopes refer to it. */
export interface EncryptionKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a fresh random 96-bit IV for each value. The logical key of the entry is the
 * additional data, so a ciphertext that was moved to another entry does not decrypt.
 *
 * Envelope: `idLength u8 | key id | IV 12 | tag 16 | ciphertext`. The first key encrypts, all of them decrypt. To
 * rotate keys, put a new one first, and drop the old one when its entries have gone.
 */
export class Encryption {
  private readonly current: EncryptionKey;
  private readonly byId: ReadonlyMap<string, EncryptionKey>;

  constructor(keys: readonly EncryptionKey[]) {
    const [first] = keys;
    if (!first) throw invalidOption('encryption needs at least one key');
    for (const { id, secret } of keys) {
      if (secret.length !== 32) throw invalidOption(`encryption key ${id} must have 32 bytes, not ${secret.length}`);
      if (id.length < 1 || Buffer.byteLength(id) > 255)
        throw invalidOption('an encryption key needs an id of 1 to 255 bytes');
    }
    this.current = first;
    this.byId = new Map(keys.map((key) => [key.id, key]));
  }

  encrypt(plain: Buffer, entryKey: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.current.secret, iv).setAAD(Buffer.from(entryKey));
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
    const id = Buffer.from(this.current.id);
    return Buffer.concat([Buffer.from([id.length]), id, iv, cipher.getAuthTag(), ciphertext]);
  }

  /** Undefined if the key is not known here, or did not make these bytes for this entry. */
  decrypt(envelope: Buffer, entryKey: string): Buffer | undefined {
    const idEnd = 1 + (envelope[0] ?? 0);
    const key = this.byId.get(envelope.toString('utf8', 1, idEnd));
    const ivEnd = idEnd + IV_BYTES;
    const tagEnd = ivEnd + TAG_BYTES;
    if (!key || envelope.length < tagEnd) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key.secret, envelope.subarray(idEnd, ivEnd), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(entryKey))
      .setAuthTag(envelope.subarray(ivEnd, tagEnd));
    try {
      return Buffer.concat([decipher.update(envelope.subarray(tagEnd)), decipher.final()]);
    } catch {
      return undefined; // final() throws exactly when the tag does not fit
    }
  }
}
