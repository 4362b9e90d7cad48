import { describe, expect, it } from '@jest/globals';
import { AcknowledgementTimes } from './acknowledgement-times.js';

describe('the times of acknowledgements', () => {
  it('are undisturbed where Redis answered and their own process ran', () => {
    const times = new AcknowledgementTimes();
    times.add(1, 0, 900_000);
    times.add(1, 5_000_000, 7_000_000); // while its own process was stopped
    times.add(2, 5_000_000, 6_000_000); // while another process was stopped
    times.add(2, 20_000_000, 25_000_000); // while Redis did not answer
    times.disturbed(5_100_000, 6_900_000, 1);
    times.disturbed(21_000_000, 24_000_000);
    expect(times.ms).toEqual([900, 1000, 2000, 5000]);
    expect(times.longestUndisturbedMs).toBe(1000);
  });
});
