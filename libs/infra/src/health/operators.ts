import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { listOf, text, type ValueKind } from '../config/value-kinds.js';

/** How operators are known. Only they see the details of health: nobody, if there is neither a token nor an address. */
export interface OperatorConfig {
  readonly token: string | undefined;
  /** Addresses, and blocks such as `10.0.0.0/8`. */
  readonly addresses: readonly string[];
}

/** What an operator's request is known by. */
export interface OperatorRequest {
  /** The other end of the connection. A header such as `X-Forwarded-For` is not looked at: anybody can send it. */
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: { readonly authorization?: string | undefined };
}

/** A secret that fits into `Authorization: Bearer`. */
export const operatorToken: ValueKind<string> = text(
  'at least 32 characters of A-Z a-z 0-9 . _ ~ + / = -',
  /^[A-Za-z0-9._~+/=-]{32,4096}$/,
);

/** Addresses and blocks of addresses, as text. */
export const addressBlocks: ValueKind<readonly string[]> = {
  expected: 'one or more IP addresses or blocks such as 127.0.0.1,10.0.0.0/8,fd00::/8',
  parse: (given) =>
    listOf(given, (part) => {
      const block = part.trim();
      return blockOf(block) === undefined ? undefined : block;
    }),
};

/** Why a request is not taken for an operator's, for the audit: a wrong token may be a guess. */
export function operatorFault({ headers }: OperatorRequest): string {
  return headers.authorization === undefined ? 'no token' : 'not the token of an operator';
}

/** Tells operators from everybody else, by their token or by the address of their connection. */
export class Operators {
  private readonly blocks = new BlockList();
  private readonly digest: Buffer | undefined;

  constructor({ token, addresses }: OperatorConfig) {
    this.digest = token === undefined ? undefined : digestOf(token);
    for (const text of addresses) {
      const block = blockOf(text);
      if (block !== undefined) this.blocks.addSubnet(block.address, block.prefix, block.family);
    }
  }

  /** A wrong token takes nothing from an operator whose address is known. */
  includes({ socket, headers }: OperatorRequest): boolean {
    return this.isKnownAddress(socket.remoteAddress) || this.isToken(headers.authorization);
  }

  private isKnownAddress(address: string | undefined): boolean {
    // A link-local IPv6 address comes with its interface: fe80::1%eth0.
    const [bare = ''] = (address ?? '').split('%', 1);
    const family = isIP(bare);
    return family !== 0 && this.blocks.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** Compares digests, in constant time: neither the length nor the first wrong character shows in the time. */
  private isToken(authorization: string | undefined): boolean {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (this.digest === undefined || given === undefined) return false;
    return timingSafeEqual(digestOf(given), this.digest);
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

interface Block {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** The block that a text names; a single address is a block of its own. Undefined if it names none. */
function blockOf(text: string): Block | undefined {
  const [, address = '', length] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family === 0) return undefined;
  const whole = family === 4 ? 32 : 128;
  const prefix = length === undefined ? whole : Number(length);
  return prefix > whole ? undefined : { address, prefix, family: family === 4 ? 'ipv4' : 'ipv6' };
}
