import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

/**
 * Allows scripts and styles only from the sandbox's own files, none inline, so that displayed data cannot become code.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const FILES = [
  { url: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/page/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  ...['page.mjs', 'dom.mjs', 'log.mjs', 'billing.mjs'].map((file) => ({
    url: `/page/${file}`,
    file,
    type: 'text/javascript; charset=utf-8',
  })),
];

/**
 * `GET /`: the page on which a person acts as Salesforce and WHMCS, with its style and scripts. These files lie beside
 * this one, in the sources and in `dist`.
 */
export function pageRoutes(app: FastifyInstance): void {
  for (const { url, file, type } of FILES) {
    const content = readFileSync(new URL(`./${file}`, import.meta.url), 'utf8');
    app.get(url, (_request, reply) => reply.type(type).header('content-security-policy', POLICY).send(content));
  }
}
