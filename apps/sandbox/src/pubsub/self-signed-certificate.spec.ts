import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { selfSignedCertificate } from './self-signed-certificate.js';

describe('the certificate of the gRPC port', () => {
  const pair = selfSignedCertificate(['sandbox']);
  const certificate = new X509Certificate(pair.certificate);

  it('is signed by its own key, for now and the next 30 days', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 29 * 24 * 3_600_000);
  });

  it('is good for this machine by each of its names, and for the names that were asked for', () => {
    for (const host of ['localhost', 'sandbox']) expect(certificate.checkHost(host)).toBe(host);
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('example.com')).toBeUndefined();
    expect(certificate.ca).toBe(true);
  });

  it('is another one every time', () => {
    expect(new X509Certificate(selfSignedCertificate().certificate).serialNumber).not.toBe(certificate.serialNumber);
  });
});
