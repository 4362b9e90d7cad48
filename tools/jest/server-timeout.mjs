import { jest } from '@jest/globals';

// Tests that start servers and processes have deadlines of their own for these. Jest's is longer, so that theirs end
// first and say what was awaited.
jest.setTimeout(120_000);
