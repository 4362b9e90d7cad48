import { describeChangeEventSource } from './change-event-source.contract.js';
import { PUBSUB } from './change-event-source/transports.js';

describeChangeEventSource(PUBSUB);
