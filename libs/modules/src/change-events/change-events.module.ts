import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ChangeEventConsumer } from './consuming/change-event-consumer.js';

/**
 * Makes this process consume change events for the subscribers of all imported modules. The application must provide
 * `FleetModule`, `CacheModule`, `APP_CONFIG`, `SalesforceClient` and `ChangeEventSource`.
 */
@Module({ imports: [DiscoveryModule], providers: [ChangeEventConsumer], exports: [ChangeEventConsumer] })
export class ChangeEventsModule {}
