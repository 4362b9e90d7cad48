import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { limitsConfig, limitsVariables } from './limits-variables.js';

const schema = z.object(limitsVariables);
const config = (env: Record<string, string>) => limitsConfig(schema.parse(env));

describe('the variables of limits', () => {
  it('have defaults, and take points and seconds', () => {
    expect(config({})).toEqual({
      policies: {
        request: { points: 1200, windowSeconds: 60 },
        fetch: { points: 240, windowSeconds: 60 },
        write: { points: 30, windowSeconds: 60 },
        stream: { points: 120, windowSeconds: 60 },
      },
      processes: 4,
    });
    expect(config({ LIMIT_WRITES: '5/3600' }).policies.write).toEqual({ points: 5, windowSeconds: 3600 });
  });

  it.each(['0/60', '10/0', '1000001/60', '10/86401', '-1/60', '10', '10/', '/60', '1e3/60', '10 / 60', 'Infinity/60'])(
    'refuse %s: none is unlimited, and none shuts a customer out',
    (given) => {
      expect(schema.safeParse({ LIMIT_FETCHES: given }).success).toBe(false);
    },
  );
});
