/**
 * The formulas of `%{ assert … }%`: names, numbers, text, arithmetic, comparison and logic. Its own small reader and
 * evaluator: nothing of a script is ever run as a program.
 *
 * Operators by rank, weakest first, in Python's spelling and JavaScript's:
 * `or ||` · `and &&` · `not !` · `== != < <= > >=` (may be chained) · `|` · `^` · `&` · `<< >>` · `+ -` · `* / // %` · `- ~`
 */

export type Value = number | string | boolean;

/** A formula that cannot be read or evaluated. */
export class FormulaError extends Error {
  override readonly name = 'FormulaError';
}

const TOKEN =
  /\s*(?:(0x[0-9a-fA-F]+|\d+\.?\d*)|([a-zA-Z_]\w*)|'([^']*)'|"([^"]*)"|(\/\/|<<|>>|[=!<>]=|&&|\|\||[-+*/%&|^~<>!(),]))/y;

/** The binary operators with their ranks; a higher one binds stronger. */
const RANKS: Readonly<Record<string, number>> = {
  or: 1,
  '||': 1,
  and: 2,
  '&&': 2,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '|': 5,
  '^': 6,
  '&': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '//': 10,
  '%': 10,
};
const COMPARISON_RANK = 4;
const NOT_RANK = 3;

/**
 * Evaluates `text`; several formulas separated by commas give the first (the others are what Python would print).
 * @param lookUp the value of a name, or `undefined`
 * @throws {FormulaError} that says what is wrong
 */
export function evaluate(text: string, lookUp: (name: string) => Value | undefined): Value {
  const reader = new Formula(text, lookUp);
  return reader.whole();
}

type Item =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'name' | 'operator'; readonly text: string };

class Formula {
  readonly #items: Item[] = [];
  readonly #lookUp: (name: string) => Value | undefined;
  #at = 0;

  constructor(text: string, lookUp: (name: string) => Value | undefined) {
    this.#lookUp = lookUp;
    for (let at = 0; text.slice(at).trim() !== ''; ) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) throw new FormulaError(`'${text.slice(at).trim()}' cannot be read`);
      const [, number, name, single, double, operator] = match;
      if (number !== undefined) this.#items.push({ kind: 'value', value: Number(number) });
      else if (name !== undefined) this.#items.push(nameItem(name));
      else if (operator !== undefined) this.#items.push({ kind: 'operator', text: operator });
      else this.#items.push({ kind: 'value', value: single ?? double ?? '' });
      at = TOKEN.lastIndex;
    }
  }

  whole(): Value {
    const value = this.#binary(1);
    const rest = this.#items[this.#at];
    if (rest !== undefined && !(rest.kind === 'operator' && rest.text === ',')) {
      throw new FormulaError(`'${rest.kind === 'value' ? rest.value : rest.text}' should not stand here`);
    }
    return value;
  }

  #operator(): string {
    const item = this.#items[this.#at];
    return item?.kind === 'operator' ? item.text : '';
  }

  #binary(rank: number): Value {
    if (rank === NOT_RANK && this.#operator() === 'not') {
      this.#at++;
      return !isTrue(this.#binary(rank));
    }
    if (rank > 10) return this.#unary();
    let left = this.#binary(rank + 1);
    if (rank === COMPARISON_RANK) return this.#comparisons(left);
    while (RANKS[this.#operator()] === rank) {
      const operator = this.#operator();
      this.#at++;
      left = apply(operator, left, this.#binary(rank + 1));
    }
    return left;
  }

  /** `a < b <= c` holds when both do. */
  #comparisons(first: Value): Value {
    let left = first;
    let result: Value = first;
    let holds = true;
    while (RANKS[this.#operator()] === COMPARISON_RANK) {
      const operator = this.#operator();
      this.#at++;
      const right = this.#binary(COMPARISON_RANK + 1);
      holds &&= compare(operator, left, right);
      result = holds;
      left = right;
    }
    return result;
  }

  #unary(): Value {
    const item = this.#items[this.#at++];
    if (item === undefined) throw new FormulaError('a value is missing at the end');
    if (item.kind === 'value') return item.value;
    if (item.kind === 'name') {
      const value = this.#lookUp(item.text);
      if (value === undefined) throw new FormulaError(`'${item.text}' is not known`);
      return value;
    }
    switch (item.text) {
      case '-':
        return -toNumber(this.#unary());
      case '~':
        return ~toNumber(this.#unary());
      case '!':
        return !isTrue(this.#unary());
      case '(': {
        const value = this.#binary(1);
        if (this.#operator() !== ')') throw new FormulaError(`')' is missing`);
        this.#at++;
        return value;
      }
      default:
        throw new FormulaError(`'${item.text}' should not stand here`);
    }
  }
}

function nameItem(name: string): Item {
  if (name === 'True' || name === 'true') return { kind: 'value', value: true };
  if (name === 'False' || name === 'false') return { kind: 'value', value: false };
  const isOperator = name === 'and' || name === 'or' || name === 'not';
  return { kind: isOperator ? 'operator' : 'name', text: name };
}

function compare(operator: string, left: Value, right: Value): boolean {
  if (operator === '==') return same(left) === same(right);
  if (operator === '!=') return same(left) !== same(right);
  const difference = toNumber(left) - toNumber(right);
  if (operator === '<') return difference < 0;
  if (operator === '<=') return difference <= 0;
  return operator === '>' ? difference > 0 : difference >= 0;
}

function apply(operator: string, left: Value, right: Value): Value {
  if (operator === 'or' || operator === '||') return isTrue(left) ? left : right;
  if (operator === 'and' || operator === '&&') return isTrue(left) ? right : left;
  const a = toNumber(left);
  const b = toNumber(right);
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%':
      return a - b * Math.floor(a / b);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return a << b;
    default:
      return a >> b;
  }
}

/** Booleans count as 0 and 1, as in Python. */
function same(value: Value): number | string {
  return typeof value === 'boolean' ? Number(value) : value;
}

function isTrue(value: Value): boolean {
  return value !== 0 && value !== '' && value !== false;
}

function toNumber(value: Value): number {
  if (typeof value === 'string') throw new FormulaError(`'${value}' is no number`);
  return Number(value);
}
