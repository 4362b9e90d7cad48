import { jest } from '@jest/globals';

// Levels that start servers and processes have their own deadlines for them, which must expire first.
jest.setTimeout(120_000);
