import { parseArgs } from 'node:util';

/** The name under which the package is published, unless one is given. */
export const DEFAULT_NAME = 'evergreen-cache';

/** A name as npm accepts it for a new package (validate-npm-package-name), with or without a scope. */
const NAME = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;
const NAME_LENGTH_MAX = 214;
/** Semantic Versioning 2.0.0, without the metadata of a build, which npm drops. */
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/**
 * What to pack, from the command line, else from the environment, else by default. Throws an `Error` that says what to
 * write instead.
 *
 * @param projectVersion the version of the project, which the package has by default
 */
export function packOptions(args, environment, projectVersion) {
  const { values } = parseArgs({
    args,
    options: { name: { type: 'string' }, version: { type: 'string' }, out: { type: 'string' } },
  });
  const name = values.name ?? (environment.EVERGREEN_PACKAGE_NAME || DEFAULT_NAME);
  const version = values.version ?? (environment.EVERGREEN_PACKAGE_VERSION || projectVersion);
  if (!NAME.test(name) || name.length > NAME_LENGTH_MAX)
    throw new Error(`npm takes no package of the name ${name}: use small letters, digits, - . _, such as @you/cache`);
  if (!VERSION.test(version))
    throw new Error(`${version} is no version: use three numbers, such as 1.2.3 or 1.2.3-rc.1`);
  return { name, version, out: values.out };
}
