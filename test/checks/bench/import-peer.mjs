/** Imports a package that is installed beside this file, wherever the importing program was built to. */
export const importPeer = (specifier) => import(specifier);
