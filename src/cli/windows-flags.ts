/**
 * Windows spellings of flags (`/all`, `/?`), rewritten before the command line is read. Only commands that Windows has, and
 * only spellings that Windows knows for them: everything else may be a path.
 *
 * A slash says whose dialect it is: `ping /i 5` is Windows' time to live, `ping -i 5` the interval that everybody else means.
 */

/** What a spelling becomes; with `value`, the next argument is its value and is rewritten too. */
interface Spelling {
  readonly flag: string;
  readonly value?: (text: string) => string;
}

/** The arguments with Windows' spellings replaced by ours. */
export function normaliseWindowsFlags(args: readonly string[]): string[] {
  const [command = '', ...rest] = args;
  const spellings = COMMANDS[command.toLowerCase()];
  if (spellings === undefined) return [...args];
  const result = [command.toLowerCase()];
  for (let i = 0; i < rest.length; i++) {
    const arg = rest[i] as string;
    // What follows is a path.
    if (arg === '--control') {
      result.push(...rest.slice(i, i + 2));
      i++;
      continue;
    }
    const assigned = assignedFlag(spellings, arg);
    if (assigned !== null) {
      result.push(assigned);
      continue;
    }
    const spelling = spellings[arg.toLowerCase()];
    const combined = spelling === undefined ? combinedFlags(spellings, arg) : null;
    if (combined !== null) result.push(...combined);
    else result.push(spelling?.flag ?? arg);
    const next = rest[i + 1];
    if (spelling?.value !== undefined && next !== undefined) {
      result.push(spelling.value(next));
      i++;
    }
  }
  return result;
}

/** `-type=MX` as `--type=MX`: flags whose value stands behind a sign, which the table has with it. */
function assignedFlag(spellings: Readonly<Record<string, Spelling>>, arg: string): string | null {
  const end = arg.indexOf('=') + 1;
  const flag = end === 0 ? undefined : spellings[arg.slice(0, end).toLowerCase()]?.flag;
  return flag === undefined ? null : flag + arg.slice(end);
}

/** `/ano` as `/a /n /o`, when each letter is a flag without a value. */
function combinedFlags(spellings: Readonly<Record<string, Spelling>>, arg: string): string[] | null {
  if (!/^\/[a-z]{2,}$/i.test(arg)) return null;
  const flags: string[] = [];
  for (const letter of arg.slice(1).toLowerCase()) {
    const spelling = spellings[`/${letter}`];
    if (spelling === undefined || spelling.value !== undefined) return null;
    flags.push(spelling.flag);
  }
  return flags;
}

const asIs = (text: string): string => text;
const HELP = { '/?': { flag: '--help' }, '-?': { flag: '--help' } };

const COMMANDS: Readonly<Record<string, Readonly<Record<string, Spelling>>>> = {
  arp: {
    ...HELP,
    '/a': { flag: '--all' },
    '/g': { flag: '--all' },
    '-g': { flag: '--all' },
    '/s': { flag: '--set' },
    '/d': { flag: '--delete' },
  },
  ipconfig: {
    ...HELP,
    '/all': { flag: '--all' },
    '-all': { flag: '--all' },
    '/renew': { flag: '--renew' },
    '-renew': { flag: '--renew' },
    '/release': { flag: '--release' },
    '-release': { flag: '--release' },
    '/renew6': { flag: '--renew6' },
    '-renew6': { flag: '--renew6' },
    '/release6': { flag: '--release6' },
    '-release6': { flag: '--release6' },
    '/flushdns': { flag: '--flushdns' },
    '-flushdns': { flag: '--flushdns' },
    '/displaydns': { flag: '--displaydns' },
    '-displaydns': { flag: '--displaydns' },
  },
  netsh: HELP,
  route: { ...HELP, '/4': { flag: '-4' }, '/6': { flag: '-6' }, '/p': { flag: '-p' } },
  nslookup: {
    ...HELP,
    '-vc': { flag: '--tcp' },
    '-type=': { flag: '--type=' },
    '-querytype=': { flag: '--type=' },
    '-q=': { flag: '--type=' },
    '-port=': { flag: '--port=' },
    '-timeout=': { flag: '--timeout=' },
  },
  netstat: {
    ...HELP,
    '/a': { flag: '--all' },
    '/n': { flag: '--numeric' },
    '/o': { flag: '--owner' },
    '/e': { flag: '--extend' },
    '/s': { flag: '--statistics' },
    '/r': { flag: '--routes' },
    '/p': { flag: '--protocol', value: asIs },
  },
  ping: {
    ...HELP,
    '/n': { flag: '--count', value: asIs },
    '/l': { flag: '--size', value: asIs },
    '/i': { flag: '--ttl', value: asIs },
    // Windows means milliseconds.
    '/w': { flag: '--timeout', value: (text) => (/^\d+$/.test(text) ? `${text}ms` : text) },
    '/t': { flag: '--count=0' },
    '/f': { flag: '--dont-fragment' },
    '/r': { flag: '--record-route', value: asIs },
    '/s': { flag: '--timestamps', value: asIs },
    '/4': { flag: '-4' },
    '/6': { flag: '-6' },
  },
  tracert: {
    ...HELP,
    '/d': { flag: '--numeric' },
    '/h': { flag: '--max-hops', value: asIs },
    '/w': { flag: '--timeout', value: (text) => (/^\d+$/.test(text) ? `${text}ms` : text) },
    '-w': { flag: '--timeout', value: (text) => (/^\d+$/.test(text) ? `${text}ms` : text) },
    '/4': { flag: '-4' },
    '/6': { flag: '-6' },
  },
};
