import { readFileSync } from 'node:fs';

const PAGE = new URL('../../docs/operating/redis-acl.md', import.meta.url);
const DOCUMENTED_APP = 'evergreen';

/** The user of Redis that docs/operating/redis-acl.md says is enough, as rules of `ACL SETUSER`, for an application of this name. */
export function smallestAcl(appName: string): string[] {
  const [, line = ''] = /```\nACL SETUSER evergreen on >password ([^`]*)```/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const rules = line.trim().split(/\s+/);
  if (rules.length < 10) throw new Error('docs/operating/redis-acl.md does not show the smallest user');
  return rules.map((rule) => rule.replace(`{${DOCUMENTED_APP}`, `{${appName}`));
}

/** Those of the rules that allow something: what can be taken away. */
export function permissionsOf(rules: readonly string[]): string[] {
  return rules.filter((rule) => /^[~&+]/.test(rule));
}

/** The rules without one permission. What names keys or channels cannot be taken back one by one, so they are given anew. */
export function without(rules: readonly string[], permission: string): string[] {
  return ['reset', 'on', '>password', ...rules.filter((rule) => rule !== permission)];
}
