import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type ApplicationConfig } from '../config/application-config.js';
import type { RedisClient } from '../redis/redis-client.js';
import { REDIS_CLIENT } from '../redis/redis.module.js';
import { MemoryNoticeBoard } from './memory/memory-notice-board.js';
import { NoticeBoard } from './notice-board.js';
import { RedisNoticeBoard } from './redis/redis-notice-board.js';

/**
 * The notice board of an application, where its cache is: in Redis, or in this process. Needs `RedisModule` and
 * `APP_CONFIG`.
 */
@Global()
@Module({
  providers: [
    {
      provide: NoticeBoard,
      inject: [REDIS_CLIENT, APP_CONFIG],
      useFactory: (redis: RedisClient | null, { app }: { readonly app: ApplicationConfig }) =>
        redis ? new RedisNoticeBoard(redis, app.name) : new MemoryNoticeBoard(),
    },
  ],
  exports: [NoticeBoard],
})
export class NoticesModule implements OnApplicationShutdown {
  constructor(@Inject(NoticeBoard) private readonly board: NoticeBoard) {}

  async onApplicationShutdown(): Promise<void> {
    await this.board.close();
  }
}
