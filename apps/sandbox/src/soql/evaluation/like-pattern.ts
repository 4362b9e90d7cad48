import type { StringLiteral } from '../parsing/tokenizer.js';

/**
 * Compiles a LIKE pattern to a test: `%` is any text, `_` any one character, escaped ones are literal, and case does
 * not matter. Time grows at worst with pattern × text, whatever the pattern; a regular expression would not guarantee
 * that.
 */
export function likePattern({ text, escapedWildcards }: StringLiteral): (candidate: string) => boolean {
  const signs = [...text]
    .map((char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char))
    .join('');
  const isWildcard = (index: number, sign: string): boolean => signs[index] === sign && !escapedWildcards.has(index);
  return (candidate) => {
    const value = candidate.toLowerCase();
    let at = 0;
    let sign = 0;
    let retrySign = -1;
    let retryAt = 0;
    while (at < value.length) {
      if (isWildcard(sign, '%')) {
        retrySign = ++sign;
        retryAt = at;
      } else if (sign < signs.length && (isWildcard(sign, '_') || signs[sign] === value[at])) {
        sign++;
        at++;
      } else if (retrySign >= 0) {
        sign = retrySign;
        at = ++retryAt;
      } else {
        return false;
      }
    }
    while (isWildcard(sign, '%')) sign++;
    return sign === signs.length;
  };
}
