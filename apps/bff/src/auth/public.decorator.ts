import { SetMetadata } from '@nestjs/common';

/** The metadata key under which a handler or controller says that it needs no token. */
export const IS_PUBLIC = 'isPublic';

/** Answers without a token. Everything that is not marked so needs one. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(IS_PUBLIC, true);
