/** Returns the Error of a data folder that could not be made or used, with the remedy. An error without a code stays as it is. */
export function dataFolderError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  return new Error(
    code === 'EEXIST' || code === 'ENOTDIR'
      ? `the data folder ${path} is not a folder: remove the file, or use another data folder`
      : `cannot use the data folder ${path} (${code}): use one that you can write to`,
    { cause },
  );
}
