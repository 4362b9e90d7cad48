import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from '../../../apps/sandbox/src/pubsub/self-signed-certificate.js';

/** Paths of PEM files: the authority, and certificates with their keys for a server on 127.0.0.1 and for its client. */
export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  remove(): void;
}

/** Makes a certificate for this test alone; it is its own authority. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'evergreen-certificates-'));
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  // One certificate for both sides: two authorities of the same name would be confused.
  const { cert, key } = keyAndCertificate();
  const both = { cert: write('both.pem', cert), key: write('both.key', key) };
  return {
    ca: both.cert,
    server: both,
    client: both,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A key and its certificate as PEM texts. */
export function keyAndCertificate(): { readonly key: string; readonly cert: string } {
  const { certificate: cert, key } = selfSignedCertificate();
  return { key, cert };
}
