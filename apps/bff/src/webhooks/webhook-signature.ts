import { createHmac, timingSafeEqual } from 'node:crypto';

/** The parts of a signed request beside its body. */
export interface SignatureHeaders {
  /** Unix time in seconds, as text. */
  readonly timestamp: string | undefined;
  /** `v1=` and the HMAC in hexadecimal. */
  readonly signature: string | undefined;
}

export interface SignatureRules {
  readonly secret: string;
  /** How far the timestamp may be from `nowMs`, in both directions. */
  readonly toleranceSeconds: number;
  readonly nowMs: number;
}

const SIGNATURE = /^v1=[0-9a-f]{64}$/;
const TIMESTAMP = /^[1-9]\d{9}$/;

/** `v1=` and HMAC-SHA256, in hexadecimal, over the timestamp, a dot and the bytes of the body. */
export function signatureOf(secret: string, timestamp: string, body: Uint8Array): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
}

/**
 * Why the request is refused, in words for its sender; undefined if a holder of the secret signed exactly this body
 * recently. The time is checked only after the signature, and the comparison takes equally long whatever differs.
 */
export function signatureFault(
  { timestamp, signature }: SignatureHeaders,
  body: Uint8Array,
  { secret, toleranceSeconds, nowMs }: SignatureRules,
): string | undefined {
  if (timestamp === undefined || !TIMESTAMP.test(timestamp))
    return 'the timestamp is missing, or is no Unix time in seconds (ten digits)';
  if (signature === undefined || !SIGNATURE.test(signature)) return 'the signature is missing or has another form';
  const expected = signatureOf(secret, timestamp, body);
  if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return 'the signature does not fit';
  const isRecent = Math.abs(nowMs / 1_000 - Number(timestamp)) <= toleranceSeconds;
  return isRecent ? undefined : `it was signed more than ${toleranceSeconds} s from now; compare the clocks`;
}
