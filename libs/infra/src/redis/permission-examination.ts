import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { trialsOf } from './permissions/command-trials.js';
import type { Need } from './needs.js';
import type { RedisClient } from './redis-client.js';

const SCRIPT = readFileSync(new URL('./lua/examine.lua', import.meta.url), 'utf8');
/** A hash that no script has, so EVALSHA runs nothing: it answers NOSCRIPT if scripts may be run. */
const NO_SCRIPT = '0'.repeat(40);

/** A call to try, and the ACL rule that allows it. */
interface Trial {
  readonly call: readonly string[];
  readonly rule: string;
}

/**
 * Tries the needed calls as the user of this connection. Returns one sentence with the missing permissions and the
 * command that grants them, or undefined if none is missing. Commands are tried on the scratch key; the real keys and
 * channels get calls that change nothing. So the answer comes from the server itself, whatever its version, and needs
 * no permission to read ACLs.
 *
 * Rejects if the server does not answer or is not ready (it loads, it is a replica).
 */
export async function missingPermissions(client: RedisClient, need: Need): Promise<string | undefined> {
  const key = need.scratchKey ?? need.keys[0];
  if (key === undefined) throw new TypeError(`the need of ${need.part} names no key`);
  const [scripts, trials] = await Promise.all([scriptRule(client, key, need), tried(client, key, need)]);
  const rules = [...new Set([...scripts, ...trials])];
  return rules.length === 0 ? undefined : sentence(client, rules);
}

/** The missing rule for EVALSHA, if any; `tried` covers EVAL. */
async function scriptRule(client: RedisClient, key: string, need: Need): Promise<string[]> {
  try {
    await client.evalsha(NO_SCRIPT, 1, key);
    return [];
  } catch (error) {
    return textOf(error).startsWith('NOSCRIPT') ? [] : [ruleOr(error, { call: [], rule: '+evalsha' }, need)];
  }
}

async function tried(client: RedisClient, key: string, need: Need): Promise<string[]> {
  const trials = trialsFor(need);
  const { before, after } = trialsOf([], key);
  const calls = trials.map(({ call }) => call);
  const isScratch = need.scratchKey !== undefined;
  const sent = isScratch ? [before, ...calls, ...after] : calls;
  let answers: string[];
  try {
    answers = (await client.eval(SCRIPT, 1, key, JSON.stringify(sent))) as string[];
  } catch (error) {
    return [ruleOr(error, { call: [], rule: '+eval' }, need)];
  }
  // A call that was refused for another reason, such as the type of the key, counts as allowed.
  return trials.flatMap((trial, i) => ruleOf(answers[isScratch ? i + 1 : i] ?? '', trial, need) ?? []);
}

function trialsFor({ keys, keyPattern, scratchKey, commands, channels = [] }: Need): Trial[] {
  const ofCommands = scratchKey === undefined ? [] : trialsOf(commands, scratchKey).calls;
  return [
    ...ofCommands.map((call, i) => ({ call, rule: `+${(commands[i] as string).toLowerCase().replace(' ', '|')}` })),
    // Both calls change nothing: one reads, and the other would write only if the key had the member NUL.
    ...keys.flatMap((key) => [
      { call: ['GETRANGE', key, '0', '0'], rule: `~${keyPattern}` },
      { call: ['ZREM', key, '\0'], rule: `~${keyPattern}` },
    ]),
    ...channels.map(({ name, pattern }) => ({ call: ['PUBLISH', name, ''], rule: `&${pattern}` })),
  ];
}

/** Like `ruleOf`, but rethrows an error that is not about permissions: then nothing is known. */
function ruleOr(error: unknown, trial: Trial, need: Need): string {
  const rule = ruleOf(textOf(error), trial, need);
  if (rule === undefined) throw error;
  return rule;
}

/**
 * The missing rule that explains the answer to this call; `?` begins the name of a command that the server does not
 * know. Undefined if the answer is not about permissions. The text of the error decides whether the command or the key
 * (or channel) is refused; the call says which one that is.
 */
function ruleOf(text: string, { call, rule }: Trial, { keyPattern }: Need): string | undefined {
  const [command] = call;
  if (/unknown (redis )?command/i.test(text)) return `?${rule.startsWith('+') ? rule.slice(1) : command}`;
  if (!/^-?NOPERM|user executing the script can't/.test(text)) return undefined;
  const isCommand = /can't run|to run the/.test(text);
  if (!isCommand && /\bkeys?\b/.test(text)) return `~${keyPattern}`;
  if (isCommand && command !== undefined && !rule.startsWith('+')) return `+${command.toLowerCase()}`;
  return rule;
}

/** The sentence that names the missing permissions and the command that grants them. */
export function sentence(client: RedisClient, rules: readonly string[]): string {
  const user = userOf(client);
  const unknown = rules.filter((rule) => rule.startsWith('?')).map((rule) => inWords(`+${rule.slice(1)}`));
  const missing = rules.filter((rule) => !rule.startsWith('?'));
  const parts: string[] = [];
  if (unknown.length > 0)
    parts.push(`this server does not know ${unknown.join(', ')}, which may have been renamed or switched off`);
  if (missing.length > 0) {
    const where = client instanceof Cluster ? ' on every node' : '';
    parts.push(
      `the user ${user} is not allowed ${missing.map(inWords).join(', ')}: run ACL SETUSER ${user} ${missing.join(' ')}${where}`,
    );
  }
  return parts.join('; ');
}

function inWords(rule: string): string {
  const what = rule.slice(1);
  if (rule.startsWith('+')) return what.toUpperCase().replace('|', ' ');
  return `${rule.startsWith('~') ? 'the keys' : 'the channels'} ${what}`;
}

function userOf(client: RedisClient): string {
  const options = client instanceof Cluster ? client.options.redisOptions : client.options;
  return options?.username || 'default';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
