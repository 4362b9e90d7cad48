import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** Whether new work may be sent to this process. */
@Injectable()
export class Readiness implements OnApplicationBootstrap {
  private state: 'starting' | 'ready' | 'draining' = 'starting';

  get current(): 'starting' | 'ready' | 'draining' {
    return this.state;
  }

  onApplicationBootstrap(): void {
    if (this.state === 'starting') this.state = 'ready';
  }

  /** From now on the process asks for no new work. A request that still comes is served until the process closes. */
  drain(): void {
    this.state = 'draining';
  }
}
