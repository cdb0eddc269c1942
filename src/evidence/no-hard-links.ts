/**
 * What `link(2)` answers on file systems without hard links, such as FAT and some network folders. On Windows it is EISDIR for exFAT, as most
 * USB sticks have it (libuv's word for ERROR_INVALID_FUNCTION).
 */
export const noHardLinks: ReadonlySet<string> = new Set([
  ...["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV", "EISDIR"],
]);
