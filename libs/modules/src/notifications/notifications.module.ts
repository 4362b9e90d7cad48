import { NoticesModule } from '@bff/infra/notices/notices.module';
import { Module } from '@nestjs/common';
import { Notifications } from './notifications.service.js';

/** Notifies browsers of changes. Needs `RedisModule` and `APP_CONFIG` from the application. */
@Module({ imports: [NoticesModule], providers: [Notifications], exports: [Notifications] })
export class NotificationsModule {}
