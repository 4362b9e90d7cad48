import { markRoute } from '../http/route-marks.js';

/** Marks a route that answers without a token. Every route without this mark needs one. */
export const Public = (): ClassDecorator & MethodDecorator => markRoute({ isPublic: true });
