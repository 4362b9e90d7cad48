import { Module } from '@nestjs/common';
import { EventsHealthService } from './events-health.service.js';

/** Provides the health of change events, in processes that consume them and in those that do not. */
@Module({ providers: [EventsHealthService], exports: [EventsHealthService] })
export class EventsHealthModule {}
