import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key as PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const SHA256_WITH_ECDSA = oid(1, 2, 840, 10045, 4, 3, 2);
const COMMON_NAME = oid(2, 5, 4, 3);
const BASIC_CONSTRAINTS = oid(2, 5, 29, 19);
const SUBJECT_ALT_NAME = oid(2, 5, 29, 17);

/**
 * A self-signed certificate for this machine, valid for 30 days (X.509 v3, RFC 5280; Node can read certificates but not
 * make them). It is marked as an authority, so that a client can trust and check it instead of switching checks off.
 * @param names host names besides localhost, 127.0.0.1 and ::1
 */
export function selfSignedCertificate(names: readonly string[] = []): CertificatePair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(SHA256_WITH_ECDSA);
  const subject = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from('Evergreen sandbox')))));
  const now = Date.now();
  const validity = sequence(utcTime(now - DAY_MS), utcTime(now + 30 * DAY_MS));
  const addresses = [Buffer.from([127, 0, 0, 1]), Buffer.from([...Array<number>(15).fill(0), 1])];
  const alternatives = sequence(
    ...['localhost', ...names].map((name) => der(0x82, Buffer.from(name, 'ascii'))),
    ...addresses.map((address) => der(0x87, address)),
  );
  const isAuthority = sequence(der(0x01, Buffer.from([0xff])));
  const extensions = sequence(
    sequence(BASIC_CONSTRAINTS, der(0x01, Buffer.from([0xff])), der(0x04, isAuthority)),
    sequence(SUBJECT_ALT_NAME, der(0x04, alternatives)),
  );
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)]));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const content = sequence(version3, serial, algorithm, subject, validity, subject, key, der(0xa3, extensions));
  const signature = sign('sha256', content, privateKey);
  const certificate = sequence(content, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = certificate.toString('base64').match(/.{1,64}/g) as string[];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** One DER element: tag, length, content (X.690, 8.1). */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const digits = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...digits]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

/** A DER time in the form `YYMMDDhhmmssZ`. */
function utcTime(at: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`, 'ascii'));
}

/** The first two numbers share a byte, the others are written in groups of seven bits (X.690, 8.19). */
function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}
