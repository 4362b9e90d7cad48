import type { HttpAnswer } from './bounded-http.js';

/** The JSON that an answer's body is; undefined if it is none, a page of HTML for example. Never throws. */
export function jsonOf({ body }: Pick<HttpAnswer, 'body'>): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) as unknown };
  } catch {
    return undefined; // the parser's message quotes the body, which has no business in an error
  }
}
