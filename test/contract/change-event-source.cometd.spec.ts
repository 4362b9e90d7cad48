import { describeChangeEventSource } from './change-event-source.contract.js';
import { COMETD } from './change-event-source/transports.js';

describeChangeEventSource(COMETD);
