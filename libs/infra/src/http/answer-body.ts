import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { HttpFaultError, toHttpFault } from './http-fault.js';

/** The encodings that `readBody` decodes; a request sends them as `accept-encoding`. */
export const ENCODINGS = 'gzip, br';

/**
 * The whole body as text, decompressed, without a byte order mark. Rejects with `too-large` as soon as more than
 * `bytesMax` decompressed bytes arrive, so an answer never holds much more memory than that, whatever length it
 * declares; with `broken` if it ends early or cannot be decompressed. The connection of an answer that was not read to
 * its end is closed.
 */
export async function readBody(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of unpacked(response) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new HttpFaultError('too-large', `the answer has more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    throw toHttpFault(error, 'broken', 'the answer did not come to its end');
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function unpacked(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return response;
  const decoder = decoderOf(encoding);
  if (decoder === undefined) throw new HttpFaultError('broken', 'the answer is packed in a way that nobody asked for');
  // An error of the response reaches the reader through the decoder, which `pipeline` destroys.
  return pipeline(response, decoder, () => undefined);
}

function decoderOf(encoding: string): Transform | undefined {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  return encoding === 'br' ? createBrotliDecompress() : undefined;
}
