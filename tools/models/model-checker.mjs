import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root, run, say } from '../workspace.mjs';

const models = join(root, 'docs', 'protocol');
const DEPTH_MAX = 2_000_000;

/**
 * Runs one model with its switches, within limits: Spin makes a C program of it, and that program searches. Resolves
 * with the result; a run that does not finish within its limits is `incomplete`, never `holds`.
 */
export async function check({ model, switches, expected, isQuick }, { seconds, megabytes, wantsTrail = false }) {
  const folder = mkdtempSync(join(tmpdir(), 'evergreen-model-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove); // `finally` does not run when the process is interrupted
  try {
    cpSync(models, folder, { recursive: true });
    const file = `${model}.pml`;
    const spin = await collect('spin', ['-a', ...switches, file], folder);
    if (spin.code !== 0 || !existsSync(join(folder, 'pan.c'))) return broken(`spin: ${spin.output}`);
    const flags = [
      isQuick ? (expected === 'violated' ? '-O0' : '-O1') : '-O2', // optimizing takes longer than most quick searches
      '-w',
      '-DSAFETY',
      '-DCOLLAPSE',
      `-DMEMLIM=${megabytes}`,
      '-DVECTORSZ=2048',
      '-o',
      'pan',
      'pan.c',
    ];
    const gcc = await collect('gcc', flags, folder);
    if (gcc.code !== 0) return broken(`gcc: ${gcc.output}`);
    const startedAt = performance.now();
    const pan = await collect(join(folder, 'pan'), ['-E', `-m${DEPTH_MAX}`], folder, seconds);
    const result = { ...judge(pan), seconds: (performance.now() - startedAt) / 1000 };
    if (!wantsTrail || result.outcome !== 'violated') return result;
    const trail = await collect('spin', ['-p', '-g', '-k', `${file}.trail`, ...switches, file], folder);
    return { ...result, trail: trail.output };
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

/**
 * What a search has found, by its output: `violated` if an assertion failed, `holds` only if the search reports that it
 * covered the whole space, else `incomplete` with the reason.
 */
export function judge({ output, code, isTimedOut = false }) {
  const states = Number(/(\S+) states, stored/.exec(output)?.[1] ?? NaN);
  const transitions = Number(/(\S+) transitions \(/.exec(output)?.[1] ?? NaN);
  const megabytes = Number(/(\S+)\s+total actual memory/.exec(output)?.[1] ?? NaN);
  const found = { states, transitions, megabytes };
  if (/pan:\d+: assertion violated/.test(output)) return { outcome: 'violated', ...found };
  const errors = /errors: (\d+)/.exec(output)?.[1];
  if (isTimedOut) return { outcome: 'incomplete', reason: 'time limit', ...found };
  if (/out of memory|reached -DMEMLIM|VECTORSZ/.test(output))
    return { outcome: 'incomplete', reason: 'memory limit', ...found };
  if (/max search depth too small/.test(output)) return { outcome: 'incomplete', reason: 'depth limit', ...found };
  if (code !== 0 || errors !== '0' || /Search not completed/.test(output) || !(states > 0)) {
    return {
      outcome: 'incomplete',
      reason: `the search ended with code ${code} and ${errors ?? 'no count of'} errors`,
      ...found,
    };
  }
  return { outcome: 'holds', ...found };
}

/** The programs that a check needs and that are missing. */
export function missingPrograms() {
  return ['spin', 'gcc'].filter((name) => spawnSync(name, [name === 'spin' ? '-V' : '--version']).error);
}

/** Installs the missing programs where that needs no confirmation; returns those still missing. */
export async function installMissingPrograms() {
  if (missingPrograms().length === 0) return [];
  if (spawnSync('apt-get', ['--version']).error) return missingPrograms();
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) return missingPrograms();
  say('Installing spin and gcc (apt-get) …');
  const install = ['install', '-y', '--no-install-recommends', 'spin', 'gcc', 'libc6-dev'];
  for (const command of [['update'], install]) {
    const [program, ...args] = [
      ...(isRoot ? [] : ['sudo', '-n']),
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      ...command,
    ];
    const code = await run(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    if (code !== 0) say(`apt-get ${command.join(' ')} failed`); // an update may fail where the package is already known
  }
  return missingPrograms();
}

function broken(reason) {
  return { outcome: 'incomplete', reason: reason.trim(), states: NaN, transitions: NaN, megabytes: NaN, seconds: 0 };
}

/**
 * Runs a program; resolves with the end of its output, its exit code, and whether it was killed after `seconds`. It is
 * also killed when this process exits.
 */
function collect(command, args, cwd, seconds = 120) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill('SIGKILL');
    let output = '';
    let isTimedOut = false;
    const keep = (chunk) => (output = (output + chunk).slice(-1_000_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => {
      isTimedOut = true;
      kill();
    }, seconds * 1000);
    process.once('exit', kill);
    const end = (code) => {
      clearTimeout(timer);
      process.removeListener('exit', kill);
      resolve({ output, code, isTimedOut });
    };
    child.once('error', (error) => {
      output += error.message;
      end(-1);
    });
    child.once('close', (code) => end(code ?? -1));
  });
}
