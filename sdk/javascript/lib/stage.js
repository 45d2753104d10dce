// What authors call to make a stage.

/** What a stage is, for the SDK alone: its role, its definition and the settings it declares. */
export const STAGE = Symbol.for('torvyn.stage');

const METHODS = {
  processor: 'process',
  batchProcessor: 'process',
  filter: 'keep',
  router: 'route',
  source: Symbol.iterator,
  sink: 'push',
  aggregator: 'ingest',
};

function make(role, args) {
  const [settings, definition] = args.length > 1 ? args : [{}, args[0]];
  if (typeof definition !== 'function') throw new TypeError(`${role}(…) takes a function or a class`);
  if (settings === null || typeof settings !== 'object') throw new TypeError(`${role}(settings, …): settings is an object of defaults`);
  const method = METHODS[role];
  const isClass = /^class\b/.test(Function.prototype.toString.call(definition));
  if (isClass && typeof definition.prototype[method] !== 'function') {
    throw new TypeError(`${definition.name || 'this class'} is a ${role}, so it needs a method \`${String(method)}\``);
  }
  if (role === 'aggregator' && !(isClass && typeof definition.prototype.flush === 'function')) {
    throw new TypeError('an aggregator is a class with `ingest` and `flush`');
  }
  if (!isClass && definition.constructor.name.startsWith('Async')) {
    throw new TypeError('this function is async: a stage is called for one run after the other, there is nothing to wait for');
  }
  // A function can be called as it is; it gets the settings' defaults where none are given.
  const withDefaults = role === 'source'
    ? (given) => definition({ ...settings, ...given })
    : (input, given) => definition(input, { ...settings, ...given });
  const stage = isClass ? definition : withDefaults;
  Object.defineProperty(stage, STAGE, { value: { role, method, definition, settings, isClass } });
  return stage;
}

export const processor = (...args) => make('processor', args);
export const batchProcessor = (...args) => make('batchProcessor', args);
export const filter = (...args) => make('filter', args);
export const router = (...args) => make('router', args);
export const source = (...args) => make('source', args);
export const sink = (...args) => make('sink', args);
export const aggregator = (...args) => make('aggregator', args);
