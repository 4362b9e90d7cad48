import { isIP } from 'node:net';
import type { SandboxOptions } from '../sandbox.options.js';

/**
 * The names under which the sandbox answers: those of this machine, `host`, the host of `publicUrl`, and
 * `allowedHosts`. A page of another site can make a browser send any name that its owner lets point here (DNS
 * rebinding), and would then read tokens as if they were its own.
 */
export class OwnNames {
  private readonly names: ReadonlySet<string>;

  constructor({ host, publicUrl, allowedHosts = [] }: SandboxOptions) {
    const given = [host, publicUrl && new URL(publicUrl).hostname, ...allowedHosts].filter(
      (name) => name !== undefined,
    );
    this.names = new Set(['localhost', ...given.map(bare)]);
  }

  /**
   * Whether the `Host` header names this sandbox. An address does if it is one of this machine that the request came in
   * by, or a loopback one, which also a forwarded port has.
   */
  include(hostHeader: string | undefined, localAddress: string | undefined): boolean {
    const name = nameIn(hostHeader);
    if (name === undefined) return false;
    if (this.names.has(name)) return true;
    if (isIP(name) === 0) return name.endsWith('.localhost');
    return isLoopback(name) || name === localAddress?.replace(/^::ffff:/, '');
  }
}

/** The name or address in a `Host` header, without its port; undefined for what is no such header. */
function nameIn(hostHeader = ''): string | undefined {
  const url = `http://${hostHeader}`;
  if (!/^[\w.:[\]-]+$/.test(hostHeader) || !URL.canParse(url)) return undefined;
  return bare(new URL(url).hostname);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/^\[|\]$/g, '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
