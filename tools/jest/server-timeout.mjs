import { jest } from '@jest/globals';

// Levels that start servers and processes wait for them with deadlines of their own, which are to be reached first.
jest.setTimeout(120_000);
