import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/operating/redis-acl.md', import.meta.url);
const DOCUMENTED_APP = 'evergreen';

/**
 * The minimal Redis user of docs/operating/redis-acl.md, as rules of `ACL SETUSER`, for an application of this name.
 */
export function smallestAcl(appName: string): string[] {
  const [, line = ''] = /```\nACL SETUSER evergreen on >password ([^`]*)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const rules = line.trim().split(/\s+/);
  if (rules.length < 10) throw new Error('docs/operating/redis-acl.md does not show the smallest user');
  return rules.map((rule) => rule.replace(`{${DOCUMENTED_APP}`, `{${appName}`));
}

/** The rules that allow something, each of which can be removed. */
export function permissionsOf(rules: readonly string[]): string[] {
  return rules.filter((rule) => /^[~&+]/.test(rule));
}

/**
 * The rules without one permission. Key and channel patterns cannot be revoked one by one, so all rules are set anew.
 */
export function without(rules: readonly string[], permission: string): string[] {
  return ['reset', 'on', '>password', ...rules.filter((rule) => rule !== permission)];
}
