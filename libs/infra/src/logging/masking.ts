/** Maximum characters of one text in a log line. What is longer is cut. */
export const TEXT_LENGTH_MAX = 8_192;
/** Characters read beyond the maximum, so that a secret at the cut is recognised as a whole. */
const OVERLAP = 4_096;
/** What of a text is read for a log line; a longer one may be cut here before. */
export const SEEN_LENGTH_MAX = TEXT_LENGTH_MAX + OVERLAP;
/** A configured secret that is shorter is not looked for: it would be found in harmless words. */
const SECRET_LENGTH_MIN = 4;

/**
 * What is recognised by its form, in this order. Each pattern takes time in proportion to the text: it is anchored
 * where a match can begin, or its repetitions are bounded.
 */
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, '[key]'],
  // Session ids of Salesforce: the id of the org, an exclamation mark, and a secret. Refresh tokens: a known beginning.
  [/(?:(?<![\w-])|(?<=%[\dA-F]{2}))00D\w{12,15}(?:!|%21)[\w.%]*/g, '[session]'],
  [/5Aep861[\w.]{20,}/g, '[token]'],
  // JSON Web Tokens, and what has their form. A JSON object begins with `eyJ` in base64url.
  [/(?:(?<![\w-])|(?<=%[\dA-F]{2}))eyJ[\w-]{8,}(?:\.[\w-]*)*/g, '[token]'],
  [/(?<![\w-])[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}/g, '[token]'],
  // Credentials after their scheme. A word such as "Bearer tokens" has neither capitals nor digits.
  [/\b(bearer|basic|oauth)(\s{1,3}|%20|\+)(?=\S{0,4096}[A-Z0-9=_])[\w.~+/=!%-]{4,}/g, '$1$2[credentials]'],
  [/\b(Bearer|Basic|OAuth|BEARER|BASIC)(\s{1,3}|%20|\+)(?=\S{0,4096}[A-Z0-9=_])[\w.~+/=!%-]{4,}/g, '$1$2[credentials]'],
  // User and password in a URL.
  [/(?<=:\/\/)[^/\s"'<>]*@/g, '****@'],
  // Named secrets in queries, forms, headers and JSON, masked ones included: a text may be masked twice.
  [
    /((?:access_?token|refresh_?token|id_?token|client_?secret|assertion|password|passwd|passphrase|secret|api_?key|access_?key|authorization|cookie|signature)["']?\s{0,3}[:=]\s{0,3}["']?)(?:\[[a-z]{1,16}\]|[^\s"'&,;)}\]])+/gi,
    '$1[masked]',
  ],
  // Literals of a query, plain or in a URL, which hold ids and names: after an operator, up to the quote or the cut.
  [
    /([=<>(,]|%3[CDE]|%2[8C]|(?:\b|%20)(?:like|in|not|includes|excludes)(?![a-z]))((?:\s|%20|\+){0,3})(?:'|%27)(?:\\.|(?!%27)[^'\\])*(?:'|%27|\\?$)/gi,
    "$1$2'…'",
  ],
  [/[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, '[e-mail]'],
  // Ids of accounts, contacts and users of an org.
  [/(?:(?<![A-Za-z0-9])|(?<=%[\dA-F]{2}))00[135][A-Za-z0-9]{12}(?:[A-Z0-5]{3})?(?![A-Za-z0-9])/g, '[id]'],
];

/** Without one of these, no pattern can match: most texts are read once, not a dozen times. */
const SUSPICIOUS = /[@'=:%]|00[135d]|5aep861|eyj|-----BEGIN|bearer|basic|oauth|(?<![\w-])[\w-]{16,}\./i;

/**
 * Replaces what must not be read in logs: the configured secrets wherever they are, and everything that has the form
 * of a credential, of a literal in a query, or of a customer's name (an e-mail address, the id of an account).
 */
export class Masking {
  private readonly secrets: RegExp | undefined;
  private readonly longest: number;

  constructor(secrets: readonly string[] = []) {
    const forms = new Set(secrets.filter(({ length }) => length >= SECRET_LENGTH_MIN).flatMap(formsOf));
    const longestFirst = [...forms].sort((a, b) => b.length - a.length).map(literally);
    this.longest = longestFirst[0]?.length ?? 0;
    this.secrets = longestFirst.length === 0 ? undefined : new RegExp(longestFirst.join('|'), 'g');
  }

  /** The text without secrets, and at most `lengthMax` characters of it. */
  text(given: string, lengthMax: number = TEXT_LENGTH_MAX): string {
    const seenMax = lengthMax + OVERLAP;
    let text = given.length > seenMax ? given.slice(0, seenMax) : given;
    if (this.secrets) text = text.replace(this.secrets, '[secret]');
    if (SUSPICIOUS.test(text)) {
      for (const [pattern, replacement] of PATTERNS) text = text.replace(pattern, replacement);
    }
    if (given.length < seenMax && text.length <= lengthMax) return text;
    // Masking may have shortened the text so much that its end is shown, where a secret may be cut.
    const whole = given.length < seenMax ? text.length : Math.max(0, text.length - this.longest);
    return `${text.slice(0, Math.min(lengthMax, whole))}… (${given.length} characters)`;
  }
}

/** The forms that a secret has in texts: as it is, in a URL, in a form, in JSON, in base64. */
function formsOf(secret: string): string[] {
  const inUrl = encodeURIComponent(secret);
  return [
    secret,
    inUrl,
    inUrl.replaceAll('%20', '+'),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ];
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
