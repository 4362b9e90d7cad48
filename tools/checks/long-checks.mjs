/**
 * A check is a name, the arguments of an npm command, and a function that extracts the numbers for the table from the
 * command's output.
 */

/** The checker of consistency with these options. */
export const consistency = (name, ...options) => ({
  name,
  args: ['run', 'check:consistency', '--', ...options],
  numbers: numbersOfConsistency,
});

/** The checker of consistency against a product without each of its mechanisms in turn: it has to find a violation. */
export const proof = (topology) => ({
  name: `proofs-${topology}`,
  args: ['run', 'check:consistency', '--', '--prove', `--topology=${topology}`],
  numbers: (text) => {
    const found = [...text.matchAll(/^without (\S+): found after ([\d.]+) s/gm)].map(([, what, s]) => `${what} ${s} s`);
    const missed = [...text.matchAll(/^without (\S+): NOT FOUND/gm)].map(([, what]) => `${what} NOT FOUND`);
    return [...found, ...missed].join(', ');
  },
});

/** The soak of change events with these options. */
export const soak = (name, ...options) => ({
  name,
  args: ['run', 'check:change-events', '--', ...options],
  numbers: numbersOfSoak,
});

/** The models of the protocol with these options. */
export const models = (...options) => ({
  name: 'models',
  args: ['run', 'model', '--', '--install', ...options],
  numbers: (text) => first(text, /\d+ of \d+ runs as expected, \d+ s/),
});

/**
 * The long checks, in the order in which `npm run check:all` runs them. A new check that CI can only run shortened
 * belongs here in its long form.
 */
export const checks = [
  consistency('standalone-strict', '--minutes=5'),
  consistency('standalone-off', '--minutes=5', '--mode=off'),
  consistency('standalone-bounded', '--minutes=2', '--mode=bounded'),
  consistency('standalone-partitions', '--minutes=2', '--partitions=2'),
  consistency('cluster-strict', '--minutes=3', '--topology=cluster'),
  consistency('cluster-off', '--minutes=3', '--topology=cluster', '--mode=off'),
  consistency('sentinel-strict', '--minutes=3', '--topology=sentinel'),
  consistency('sentinel-off', '--minutes=3', '--topology=sentinel', '--mode=off'),
  ...['standalone', 'cluster', 'sentinel'].map(proof),
  soak('soak', '--minutes=10'),
  soak('soak-takeovers', '--kills=30', '--transport=pubsub'),
  soak('soak-proofs', '--prove'),
  {
    name: 'newcomer',
    args: ['run', 'check:newcomer'],
    numbers: (text) =>
      [/^npm start: .*?up/m, /^rules: .*/m, /^npm test: .*/m]
        .map((line) => first(text, line))
        .filter(Boolean)
        .join(', '),
  },
  models(),
  {
    name: 'benchmarks',
    args: ['run', 'bench'],
    numbers: (text) => {
      const count = (pattern) => [...text.matchAll(pattern)].length;
      return `targets met ${count(/\| yes +\|$/gm)}, not met ${count(/\| \*\*no\*\* +\|$/gm)}`;
    },
  },
];

/** The numbers for the table from the output of `npm run check:consistency`. */
export function numbersOfConsistency(text) {
  const row = (name, what) => first(text, new RegExp(`^${name} +${what.source}`, 'm'), 1);
  return [
    ['reads', row('reads', /([\d,]+)/)],
    ['acknowledged', row('invalidations', /([\d,]+)/)],
    ['median', row(' +acknowledged', /median ([\d.]+ ms)/)],
    ['faults', row('faults', /([\d,]+)/)],
    ['violations', row('violations', /(\d+)/)],
    ['stale at rest', row('at rest', /(\d+)/)],
  ]
    .filter(([, number]) => number)
    .map(([what, number]) => `${what} ${number}`)
    .join(', ');
}

/**
 * The numbers for the table from the output of `npm run check:change-events`, summed over both transports. `--prove`
 * prints a line for each planted fault; those found are counted.
 */
function numbersOfSoak(text) {
  const sum = (pattern) => {
    const all = [...text.matchAll(pattern)];
    return all.length === 0 ? '' : all.reduce((total, [, number]) => total + Number(number.replaceAll(',', '')), 0);
  };
  return [
    ['reads', sum(/^ +reads +([\d,]+)/gm)],
    ['stale', sum(/; (\d+) stale by more than/g)],
    ['mismatches at rest', sum(/^ +at rest +(\d+) mismatches/gm)],
    ['takeover', first(text, /^ +takeover +(.*?ms), longest/m, 1)],
    ['planted faults found', [...text.matchAll(/: found \(/g)].length || ''],
    ['violations', sum(/^violations +(\d+)/gm)],
  ]
    .filter(([, number]) => number !== '')
    .map(([what, number]) => `${what} ${number}`)
    .join(', ');
}

function first(text, pattern, group = 0) {
  return pattern.exec(text)?.[group] ?? '';
}
