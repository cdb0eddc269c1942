/**
 * Makes files that were written, and names that were made in folders, survive a power loss, all of them when it returns.
 * `root` is a folder on the file system that they all lie on.
 *
 * @throws the operating system's error where that cannot be promised: then none of them is durable
 */
export type FlushTogether = (
  root: string,
  made: { readonly files: readonly string[]; readonly folders: readonly string[] },
) => Promise<void>;
