import type { SalesforceFault } from '../../org/org.errors.js';
import { soqlFault } from '../soql-fault.js';
import { tokenize, type Token } from './tokenizer.js';

/** Reads a query token by token; throws MALFORMED_QUERY at the place of anything unexpected. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private next = 0;

  constructor(readonly soql: string) {
    this.tokens = tokenize(soql);
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)] as Token;
  }

  take(): Token {
    const token = this.peek();
    this.next++;
    return token;
  }

  /** Whether the token ahead is this key word or sign. Key words are found without regard to case. */
  isAt(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === 'word' || token.kind === 'symbol') && token.text.toUpperCase() === text;
  }

  /** Takes the token if it is this key word or sign; returns whether it is. */
  takeIf(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.next++;
    return true;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) throw this.unexpected(`expecting '${text}'`);
  }

  expectWord(what: string): Token {
    if (this.peek().kind !== 'word') throw this.unexpected(`expecting ${what}`);
    return this.take();
  }

  expectCount(what: string): number {
    const token = this.peek();
    if (token.kind !== 'number' || !Number.isInteger(token.value) || token.value < 0) {
      throw this.unexpected(`expecting a whole number after ${what}`);
    }
    this.next++;
    return token.value;
  }

  unexpected(hint: string): SalesforceFault {
    const token = this.peek();
    const found = token.kind === 'end' ? 'unexpected end of query' : `unexpected token: '${token.text}'`;
    return this.malformed(token.position, `${found} (${hint})`);
  }

  malformed(position: number, reason: string): SalesforceFault {
    return soqlFault('MALFORMED_QUERY', this.soql, position, reason);
  }
}
