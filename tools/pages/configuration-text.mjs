import { wrapMarkdown } from './markdown-text.mjs';

const groupTitles = {
  app: 'The application',
  http: 'HTTP',
  operator: 'Operators (they see the details of health)',
  sse: 'Event streams to browsers (GET /api/events)',
  limits: 'The limits of customers (how many in how many seconds)',
  worker: 'The change-event worker',
  redis: 'Redis (at most one of REDIS_URL, REDIS_SENTINELS, REDIS_CLUSTER_NODES; none means the embedded store)',
  cache: 'The cache',
  salesforce: 'Salesforce (without SF_LOGIN_URL the local sandbox is used)',
  events: 'Change events',
  orders: 'Orders',
  whmcs: 'WHMCS (all needed with a real org)',
  auth: "The customers' tokens (all needed with a real org)",
  sandbox: 'The local sandbox',
};

/** The text of `.env.example`: every variable with its default, commented out, and a line that explains it. */
export function envExampleText(schema) {
  const lines = ['# Copy to .env and uncomment what you change. The real environment wins over this file.'];
  for (const [title, names] of groups(schema)) {
    lines.push('', `# --- ${title}`);
    for (const name of names) {
      const { description, defaultText } = schema.documentationOf(name);
      lines.push(`# ${description}`, `#${name}=${defaultText ?? ''}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The text of `docs/reference/configuration.md`: the same as tables, with what each variable accepts. */
export function configurationPageText(schema) {
  const lines = [
    '# Configuration',
    '',
    'Environment variables, or lines of a `.env` file in the working directory; the real environment wins, and an empty value',
    'counts as not set. A bad value, or an unknown variable with one of these prefixes, stops the start, and every problem is',
    'listed at once. This page is written by `npm run docs:config` from the schema (`libs/modules/src/config/environment.schema.ts`).',
    '',
    'With `SF_LOGIN_URL` set to anything but this machine, nothing made for the sandbox is accepted: the WHMCS and AUTH',
    'variables are needed, and with Redis also `CACHE_ENCRYPTION_KEYS` and `PSEUDONYM_KEY`. URLs must then be `https://`.',
    '',
    'With `NODE_ENV=production` such an org must be set, and the start is refused by: the sandbox, or any other address of',
    'this machine, in the place of WHMCS or of the issuer, the published keys and credentials, keys of one repeated byte, secrets',
    'of fewer than six different characters, and a Redis on another machine without TLS (`REDIS_ALLOW_PLAIN=true` if nobody can',
    'listen on the way). `ALLOW_DEMO=true` lifts all of this to show or test the product with made-up data; with a real org it',
    'lifts nothing.',
    '',
    'A WHMCS, a token issuer or a proxy to one may run beside the process (a sidecar). `ALLOW_LOOPBACK` names the variables of',
    'those that do, such as `ALLOW_LOOPBACK=WHMCS_API_URL,AUTH_JWKS_URL`. The address of the sandbox by `SANDBOX_HOST` and',
    '`SANDBOX_PORT` stays refused, and so does `SF_LOGIN_URL` on this machine: Salesforce names its own addresses after the',
    'sign-in.',
  ];
  for (const [title, names] of groups(schema)) {
    lines.push('', `## ${title}`, '', '| variable | default | expected | what it does |', '|---|---|---|---|');
    for (const name of names) lines.push(row(schema, name));
  }
  return wrapMarkdown(`${lines.join('\n')}\n`);
}

function row(schema, name) {
  const { description, defaultText, expected, secret } = schema.documentationOf(name);
  const shownDefault = defaultText === undefined ? '–' : `\`${defaultText}\``;
  const cells = [`\`${name}\``, shownDefault, expected, secret ? `${description} Masked when printed.` : description];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/<(.*?)>/g, '`<$1>`')).join(' | ')} |`;
}

function groups(schema) {
  const found = new Map();
  for (const name of schema.variableNames) {
    const { group } = schema.documentationOf(name);
    const title = groupTitles[group] ?? group;
    found.set(title, [...(found.get(title) ?? []), name]);
  }
  return found;
}
