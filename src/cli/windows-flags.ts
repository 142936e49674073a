/**
 * Windows' spellings of flags, `/all` and `/n 3`, rewritten to `--all` and `-n 3` before the command line is parsed.
 *
 * Only for commands that Windows has, and only where the word after the slash is one of the command's flags: `/tmp` stays a
 * path.
 */

/** Flags that may be written with a slash, by command; letters are in either case, as Windows takes them. */
const SLASH_FLAGS: Readonly<Record<string, readonly string[]>> = {
  ping: ['n', 't', 'l', 'w', '?'],
  ipconfig: ['all', '?'],
  netstat: ['a', 'n', 'o', 's', 'r', 'an', 'ano', 'no', 'ao', '?'],
  netsh: ['?'],
};

/** The arguments with Windows' flags rewritten. The first that is no flag names the command. */
export function normalizeFlags(args: readonly string[]): string[] {
  const at = args.findIndex((word) => !word.startsWith('-'));
  const known = SLASH_FLAGS[args[at] ?? ''];
  if (known === undefined) return [...args];
  return args.map((word, i) => {
    if (i <= at || !word.startsWith('/')) return word;
    const flag = word.slice(1).toLowerCase();
    if (!known.includes(flag)) return word;
    if (flag === '?') return '--help';
    // Several letters are several flags, but for words.
    return flag.length === 1 || flag !== 'all' ? `-${flag}` : `--${flag}`;
  });
}
