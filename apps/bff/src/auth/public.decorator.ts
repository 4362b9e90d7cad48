import { SetMetadata } from '@nestjs/common';

/** The metadata key that marks a handler or controller that needs no token. */
export const IS_PUBLIC = 'isPublic';

/** Marks a route that answers without a token. Every route without this mark needs one. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(IS_PUBLIC, true);
