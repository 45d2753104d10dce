// A node's settings: what a stage declares is what it gets.

import { InvalidInput } from './errors.js';

/** What `init` is given: nothing, a JSON object, or any other text. That is the main setting, in an object the one without a name. */
export function parse(config) {
  if (!config) return {};
  try {
    const value = JSON.parse(config);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  } catch {
    // text
  }
  return { '': config };
}

const WORDS = { true: true, yes: true, 1: true, false: false, no: false, 0: false };
const NAMES = { string: 'text', number: 'a number', boolean: 'true or false' };

/**
 * The settings of a stage: `declared` has for each its default, or `String`, `Number`, `Boolean`, `Object` where it has to be given.
 * The main setting is the first of them. A pipeline's settings are text; they become what is declared.
 */
export function settle(declared, given) {
  const names = Object.keys(declared);
  if ('' in given && names.length > 0) {
    const { '': main, ...others } = given;
    given = { [names[0]]: main, ...others };
  }
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw new InvalidInput(`unknown setting \`${name}\`; ${names.length ? `there are ${names.join(', ')}` : 'there are none'}`);
    }
  }
  const settings = {};
  for (const name of names) {
    const wanted = declared[name];
    const required = typeof wanted === 'function';
    if (!(name in given)) {
      if (required) throw new InvalidInput(`the setting \`${name}\` is missing`);
      settings[name] = wanted;
    } else {
      settings[name] = convert(name, given[name], required ? wanted.name.toLowerCase() : typeof wanted);
    }
  }
  return settings;
}

function convert(name, value, type) {
  if (typeof value === type || !(type in NAMES)) return value;
  if (typeof value === 'string') {
    if (type === 'boolean' && value.toLowerCase() in WORDS) return WORDS[value.toLowerCase()];
    if (type === 'number' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
  }
  throw new InvalidInput(`the setting \`${name}\` is to be ${NAMES[type]}, not ${JSON.stringify(value)}`);
}
