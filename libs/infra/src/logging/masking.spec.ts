import { describe, expect, it } from '@jest/globals';
import { errorRecord, messageWithCauses } from './error-record.js';
import { maskedLine } from './log-line.js';
import { maskedPath } from './masked-path.js';
import { Masking, TEXT_LENGTH_MAX } from './masking.js';

const JWT = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"alice"}').toString('base64url')}.${'s'.repeat(43)}`;
const SESSION = '00D5g000000abcd!AQ0AQPx.zq_3k9LhRwT7Yb2mNcVdEfGhIjKl.123';

describe('masking', () => {
  it.each([
    ['a JWT', `refused ${JWT} there`, 'refused [token] there'],
    ['a part of one', `eyJhbGciOiJSUzI1NiJ9.eyJzdWIi`, '[token]'],
    ['what has its form', `x=${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`, 'x=[token]'],
    ['a session of Salesforce', `INVALID_SESSION_ID: ${SESSION}`, 'INVALID_SESSION_ID: [session]'],
    ['the same in a URL', `sid=${encodeURIComponent(SESSION)}&x=1`, 'sid=[session]&x=1'],
    ['a refresh token', `token 5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyjBJrI8A9pyrLZ`, 'token [token]'],
    ['a bearer token', 'authorization: Bearer abc.DEF-123', 'authorization: [masked] [credentials]'],
    ['basic credentials', 'sent Basic YTpiYw== to it', 'sent Basic [credentials] to it'],
    ['OAuth of Salesforce', 'header OAuth 0123456789', 'header OAuth [credentials]'],
    ['a password in a URL', 'redis://app:p@ss@10.0.0.1:6379/0', 'redis://****@10.0.0.1:6379/0'],
    ['a user in a URL', 'https://user@host/x and http://a:b@c', 'https://****@host/x and http://****@c'],
    ['a query', 'GET /x?access_token=abc&page=2&password=p', 'GET /x?access_token=[masked]&page=2&password=[masked]'],
    ['JSON', '{"client_secret": "abc", "a": 1}', '{"client_secret": "[masked]", "a": 1}'],
    [
      'a query of SOQL',
      `SELECT Id FROM Order WHERE AccountId = '8015g000' AND Name LIKE 'O\\'Neil%'`,
      /= '…' AND Name LIKE '…'$/,
    ],
    ['a list of it', `WHERE Id IN ('a','b', 'c') OR x='d'`, `WHERE Id IN ('…','…', '…') OR x='…'`],
    [
      'a query in a URL',
      `q=SELECT%20Id+WHERE%20A%20%3D%20'0015g0'%20AND+B+LIKE+%27x%25%27`,
      `q=SELECT%20Id+WHERE%20A%20%3D%20'…'%20AND+B+LIKE+'…'`,
    ],
    ['an account in it', 'id%20%270015g00000000aBAAQ%27', 'id%20%27[id]%27'],
    ['a cut query', `WHERE Name = 'Alice of Wond`, `WHERE Name = '…'`],
    ['an e-mail address', 'mapping:userId:alice.b+c@example.co.uk is', 'mapping:userId:[e-mail] is'],
    ['the same in a URL', '/users/alice%40example.org', '/users/[e-mail]'],
    ['an account', 'orders:account:0015g00000000aBAAQ and 0035g00000000aB', 'orders:account:[id] and [id]'],
    ['a key', `x -----BEGIN PRIVATE KEY-----\nMII\nabc\n-----END PRIVATE KEY----- y`, 'x [key] y'],
    ['a cut key', `-----BEGIN RSA PRIVATE KEY-----\\nMIIabc`, '[key]'],
  ])('[C7] hides %s', (_, given, shown) => {
    if (shown instanceof RegExp) expect(new Masking().text(given)).toMatch(shown);
    else expect(new Masking().text(given)).toBe(shown);
  });

  it.each([
    'Bearer tokens are needed, basic authentication is not',
    'order 8015g0000000006AAA was created, but its list is left to the change event',
    'https://example.org/a/b?page=2',
    'Cannot read properties of undefined (reading name)',
    'Redis is away (connect ECONNREFUSED 127.0.0.1:6379): reads go to the source',
    'Mapped {/api/orders/:id, GET} route',
  ])('[C7] leaves alone: %s', (text) => expect(new Masking().text(text)).toBe(text));

  it('[C7] hides configured secrets in every form, the longest first', () => {
    const masking = new Masking(['s3cr+t /"x', 's3cr', 'abc']);
    const forms = ['s3cr+t /"x', 's3cr%2Bt%20%2F%22x', 's3cr%2Bt+%2F%22x', 's3cr+t /\\"x', btoa('s3cr+t /"x')];
    for (const form of forms) expect(masking.text(`a ${form} b`)).toBe('a [secret] b');
    expect(masking.text('abc is too short to look for')).toBe('abc is too short to look for');
  });

  it('[C7] bounds each text, and hides a secret at the cut', () => {
    const secret = 'x7'.repeat(40);
    const text = `${'a '.repeat(TEXT_LENGTH_MAX / 2 - 10)}${secret}${' b'.repeat(1_000_000)}`;
    const shown = new Masking([secret]).text(text);
    expect(shown.length).toBeLessThan(TEXT_LENGTH_MAX + 40);
    expect(shown).toContain('[secret]');
    expect(shown).toMatch(new RegExp(`… \\(${text.length} characters\\)$`));
    expect(shown).not.toContain('x7');
  });

  it('[C7] looks at each character a bounded number of times', () => {
    const masking = new Masking();
    const hostile = [
      'a',
      '.',
      'a.',
      '://',
      "='",
      '@',
      '%40',
      'eyJ',
      '00D',
      'Basic ',
      '-----BEGIN PRIVATE KEY-----',
      '"',
    ];
    const begun = performance.now();
    for (const part of hostile) masking.text(part.repeat(TEXT_LENGTH_MAX));
    // Not a matter of speed: a pattern that went back at each character would take a minute.
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

describe('a line', () => {
  const line = (fields: object) => JSON.parse(maskedLine(JSON.stringify(fields), new Masking(['hunter2'])));

  it('[C7] is masked in every text at any depth, in names of fields, too', () => {
    expect(
      line({
        level: 30,
        msg: 'a hunter2',
        err: { causes: [{ message: JWT }] },
        'bob@example.org': 1,
        token: 'x',
        ok: null,
      }),
    ).toEqual({
      level: 30,
      msg: 'a [secret]',
      err: { causes: [{ message: '[token]' }] },
      '[e-mail]': 1,
      token: '[masked]',
      ok: null,
    });
  });

  it('[C7] is bounded in depth, fields and items', () => {
    let deep: object = { msg: 'end' };
    for (let n = 0; n < 100; n++) deep = { deep };
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, n]));
    const text = maskedLine(
      JSON.stringify({ deep, wide, list: Array.from({ length: 1_000 }, () => 'x') }),
      new Masking(),
    );
    expect(text.length).toBeLessThan(2_000);
    expect(JSON.parse(text).list.at(-1)).toBe('… (1000 items)');
  });

  it('[C7] that is no JSON is not shown', () => {
    expect(JSON.parse(maskedLine('{"msg":"hunter2', new Masking()))).toMatchObject({ level: 50 });
  });
});

describe('an error in the log', () => {
  it('[C7] shows its causes up to a bound, and nothing that libraries keep in it', () => {
    const error = Object.assign(new TypeError('outer'), {
      code: 'X',
      command: { args: ['value of a key'] },
      request: {},
    });
    let last: Error = error;
    for (let n = 1; n <= 20; n++) last = last.cause = new Error(`cause ${n} ${'x'.repeat(100_000)}`);
    last.cause = error; // a circle
    const record = errorRecord(error, new Masking());
    expect(record).toMatchObject({ type: 'TypeError', message: 'outer', code: 'X' });
    expect(record.causes).toHaveLength(5);
    expect(Object.keys(record).sort()).toEqual(['causes', 'code', 'message', 'stack', 'type']);
    expect(JSON.stringify(record).length).toBeLessThan(50_000);
    expect(messageWithCauses(error)).toMatch(/^outer: cause 1 x/);
    expect(messageWithCauses(error).length).toBeLessThan(15_000);
  });

  it('[C7] can be anything', () => {
    expect(errorRecord('text', new Masking())).toEqual({ type: 'string', message: 'text' });
    expect(errorRecord(new AggregateError([new Error('a')], 'all'), new Masking()).errors).toMatchObject([
      { message: 'a' },
    ]);
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'message', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(errorRecord(hostile, new Masking())).toEqual({ type: 'Error', message: 'an error that cannot be read' });
  });
});

describe('the path of a request without a route', () => {
  it.each([
    ['/nowhere', '/nowhere'],
    ['/api/payment-methods/', '/api/payment-methods/'],
    ['/.well-known/jwks.json?x=1#y', '/[…]/jwks.json'],
    ['/v2/orders/8015g0000000006AAA', '/v2/orders/[…]'],
    [`/reset/${JWT}`, '/reset/[…]'],
    ['/reset/deadbeefdeadbeefdeadbeefdeadbeef', '/reset/[…]'],
    ['/u/alice%40example.org', '/u/[…]'],
    ['http://user:secret@host/a?b', '/a'],
    ['http://host', '/'],
    ['*', '[…]'],
    [`/${'a/'.repeat(5_000)}`, '/a/a/a/a/a/a/a/a/…'],
  ])('[C7] shows words alone: %s', (target, shown) => expect(maskedPath(target)).toBe(shown));
});
