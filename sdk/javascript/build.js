#!/usr/bin/env node
// Makes a component of a JavaScript module with one stage in it. `torvyn build` runs this; nobody needs to by hand.
//
//     build.js shout.js --output target/shout.wasm --work-dir target/shout --wit-dir wit/deps
//     build.js shout.js --scan        # only finds the stage: no tools, nothing made
//
// Prints one line of JSON: the stage's role and name, the component's world, and the author's files that went in. TORVYN_JS_TOOLCHAIN
// names the folder whose node_modules hold componentize-js. The module is never run on this machine: V8 parses it, and it first runs
// inside a sandbox.
//
// Exit code 1: the module is wrong; stderr says where, as V8 says it. 2: this was called wrongly, or a tool is missing.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { lean, UnknownBindings } from './lean_bindings.js';

const SDK = path.dirname(fileURLToPath(import.meta.url));
const CONTRACT = '0.1.0';

// The worlds of each contract by role. The per-element ones can be asked for by name.
const BATCH_WORLDS = {
  processor: 'torvyn:batching/managed-batch-transform',
  batchProcessor: 'torvyn:batching/managed-batch-transform',
  filter: 'torvyn:batching/managed-batch-transform',
  router: 'torvyn:batching/batch-content-router',
  source: 'torvyn:batching/batch-data-source',
  sink: 'torvyn:batching/batch-data-sink',
  aggregator: 'torvyn:batching/batch-stream-aggregator',
};
const ELEMENT_WORLDS = {
  processor: ['torvyn:streaming/managed-transform', 'torvyn:streaming/transform'],
  batchProcessor: [],
  filter: ['torvyn:filtering/content-filter', 'torvyn:streaming/managed-transform'],
  router: ['torvyn:filtering/content-router'],
  source: ['torvyn:streaming/data-source'],
  sink: ['torvyn:streaming/data-sink'],
  aggregator: ['torvyn:aggregation/stream-aggregator'],
};

// What an interface is called in a component's module.
const EXPORTS = {
  'torvyn:streaming/managed-transform': ['processor', 'lifecycle'],
  'torvyn:streaming/transform': ['processor'],
  'torvyn:streaming/data-source': ['source', 'lifecycle'],
  'torvyn:streaming/data-sink': ['sink', 'lifecycle'],
  'torvyn:filtering/content-filter': ['filter', 'lifecycle'],
  'torvyn:filtering/content-router': ['router', 'lifecycle'],
  'torvyn:aggregation/stream-aggregator': ['aggregator', 'lifecycle'],
  'torvyn:batching/managed-batch-transform': ['batchProcessor', 'lifecycle'],
  'torvyn:batching/batch-content-router': ['batchRouter', 'lifecycle'],
  'torvyn:batching/batch-data-source': ['batchSource', 'lifecycle'],
  'torvyn:batching/batch-data-sink': ['batchSink', 'lifecycle'],
  'torvyn:batching/batch-stream-aggregator': ['batchAggregator', 'lifecycle'],
};
const WITHOUT_ALLOCATOR = ['torvyn:streaming/data-sink', 'torvyn:filtering/content-filter', 'torvyn:filtering/content-router'];

/** The author's source is wrong; the text is for the author. */
class Wrong extends Error {}

/** Something this script needs is missing. */
class Missing extends Error {}

const lineOf = (text, position) => text.slice(0, position).split('\n').length;

const IMPORT = /^[ \t]*(?:import\b[^'"()]*?\bfrom\s*|import\s*|export\s*[{*][^'"]*?\bfrom\s*)(['"])([^'"]+)\1/gm;

/** A module's text, and what it imports. Throws Wrong where V8 cannot parse it. */
function parse(file, shown) {
  const text = readFileSync(file, 'utf8');
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--check'], { input: text, encoding: 'utf8' });
  if (status !== 0) throw new Wrong(stderr.split('\n    at ')[0].replaceAll('[stdin]', shown));
  const imports = [...text.matchAll(IMPORT)].map(({ 0: statement, 2: specifier, index }) => ({ specifier, line: lineOf(text, index + statement.length) }));
  return { text, imports };
}

/** The one export made by a function of the SDK's: a statement `export const NAME = ROLE(` that begins a line. */
function findStage(shown, text) {
  const names = new Map(); // what the SDK's functions are called here
  for (const [, list] of text.matchAll(/^import\s*\{([^}]*)\}\s*from\s*['"]torvyn['"]/gm)) {
    for (const entry of list.split(',')) {
      const [name, local = name] = entry.trim().split(/\s+as\s+/);
      names.set(local, name);
    }
  }
  for (const [, space] of text.matchAll(/^import\s*\*\s*as\s+(\w+)\s+from\s*['"]torvyn['"]/gm)) {
    for (const role of Object.keys(BATCH_WORLDS)) names.set(`${space}.${role}`, role);
  }
  const stages = [...text.matchAll(/^export\s+(?:const\s+([\w$]+)\s*=|default)\s*([\w$]+(?:\.[\w$]+)?)\s*\(/gm)]
    .map((match) => ({ name: match[1] ?? 'default', role: names.get(match[2]), line: lineOf(text, match.index) }))
    .filter(({ role }) => Object.hasOwn(BATCH_WORLDS, role ?? ''));
  if (stages.length === 0) {
    throw new Wrong(`${shown}:1: no stage here: import { processor } from 'torvyn', or another role, and write: export const NAME = processor(…)`);
  }
  if (stages.length > 1) {
    const [one, two] = stages;
    throw new Wrong(`${shown}:${two.line}: two stages, \`${one.name}\` (line ${one.line}) and \`${two.name}\`: one module is one component, move one to a file of its own`);
  }
  return { ...stages[0], acknowledges: /^\s+acknowledge\s*\(/m.test(text) };
}

/** The module and those it imports, by path. */
function findInputs(entry) {
  const found = new Map();
  const waiting = [path.resolve(entry)];
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (found.has(file)) continue;
    const shown = path.relative(process.cwd(), file);
    const module = parse(file, shown);
    found.set(file, module);
    for (const { specifier, line } of module.imports) {
      if (/^torvyn(\/|:|$)/.test(specifier)) continue;
      if (!/^\.\.?\//.test(specifier)) {
        throw new Wrong(`${shown}:${line}: cannot import '${specifier}': a component is made of 'torvyn' and of files, by their relative paths; bundle a package into a file first`);
      }
      const wanted = path.resolve(path.dirname(file), specifier);
      if (!existsSync(wanted)) throw new Wrong(`${shown}:${line}: cannot find '${specifier}'`);
      waiting.push(wanted);
    }
  }
  return found;
}

/** The world, and the module of guest/ that fills it. */
function chooseWorld({ role, name, line }, asked, shown) {
  if (asked === undefined) return { world: BATCH_WORLDS[role], glue: 'batch' };
  const [wanted] = asked.split('@');
  const choices = [{ world: BATCH_WORLDS[role], glue: 'batch' }, ...ELEMENT_WORLDS[role].map((world) => ({ world, glue: 'element' }))];
  const choice = choices.find(({ world }) => wanted === world || wanted === world.split('/')[1]);
  if (choice) return choice;
  throw new Wrong(`${shown}:${line}: \`${name}\`, a ${role}, cannot fill the world ${wanted}; it can fill ${choices.map(({ world }) => world).join(', ')}`);
}

/** The world of this component: the contract's, and what every component may use beside it. */
function writeWit(folder, packages, world, acknowledges) {
  rmSync(folder, { recursive: true, force: true });
  const found = existsSync(packages) ? readdirSync(packages).filter((name) => name.startsWith('torvyn-')) : [];
  if (found.length === 0) throw new Missing(`${packages}: no contract packages here`);
  for (const name of found) cpSync(path.join(packages, name), path.join(folder, 'deps', name), { recursive: true });
  const lines = [`include ${world}@${CONTRACT};`];
  if (acknowledges) lines.push(`export torvyn:acks/acks@${CONTRACT};`);
  writeFileSync(path.join(folder, 'stage.wit'), `package torvyn:stage;\n\nworld stage {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`);
}

/** What the engine runs: the author's files and the SDK side by side. 'torvyn' becomes a path; lines stay where they are. */
function writeModules(folder, inputs, entry, { name, acknowledges }, { world, glue }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of ['lib', 'guest', 'index.js']) cpSync(path.join(SDK, part), path.join(folder, 'torvyn', part), { recursive: true });
  const files = [...inputs.keys()];
  let root = path.dirname(files[0]);
  while (files.some((file) => !file.startsWith(root + path.sep))) root = path.dirname(root);
  for (const [file, { text }] of inputs) {
    const place = path.join(folder, 'app', path.relative(root, file));
    const sdk = path.posix.relative(path.dirname(place), path.join(folder, 'torvyn', 'index.js'));
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text.replace(IMPORT, (statement, quote, specifier) => (specifier === 'torvyn' ? statement.slice(0, -8) + quote + sdk + quote : statement)));
  }
  const allocator = glue === 'element' && !WITHOUT_ALLOCATOR.includes(world);
  const names = [...EXPORTS[world], ...(acknowledges ? ['acks'] : [])];
  const start = path.join(folder, 'start.js');
  writeFileSync(start, [
    `import { exportsOf } from './torvyn/guest/${glue}.js';`,
    `import { ${name} as stage } from './app/${path.relative(root, path.resolve(entry))}';`,
    ...(allocator ? [`import * as allocator from 'torvyn:streaming/buffer-allocator@${CONTRACT}';`] : []),
    `const made = exportsOf(stage${allocator ? ', allocator' : ''});`,
    ...names.map((each) => `export const ${each} = made.${each};`),
    '',
  ].join('\n'));
  return start;
}

async function loadTool() {
  const folder = process.env.TORVYN_JS_TOOLCHAIN;
  if (!folder) throw new Missing('TORVYN_JS_TOOLCHAIN is not set: it names the folder whose node_modules hold componentize-js');
  try {
    const found = pathToFileURL(path.join(folder, 'node_modules', '@bytecodealliance', 'componentize-js', 'src', 'componentize.js'));
    const { splicer } = await import(new URL('../lib/spidermonkey-embedding-splicer.js', found).href);
    const { spliceBindings } = splicer;
    // It has no option for this, but this is the object it calls.
    splicer.spliceBindings = (...given) => {
      const made = spliceBindings(...given);
      return { ...made, jsBindings: lean(made.jsBindings) };
    };
    return (await import(found.href)).componentize;
  } catch (error) {
    throw new Missing(`componentize-js in ${folder} cannot be loaded: ${error.message}`);
  }
}

/** What went wrong as the module was loaded, without the ways of the tools around it. */
function readable(text, shown) {
  const called = /attempted to call an unknown imported function: '([^']+)' '([^']+)'/.exec(text);
  if (called) {
    return `${shown}:1: ${called[2]} of ${called[1]} is asked for as the module is loaded. A component is a picture of the loaded module:\n`
      + 'ask for time, random numbers and the console where elements are worked on, or in a constructor';
  }
  // "…/js/app/shout.js:3:1 TypeError: …", and below "Stack:" the frames.
  const folder = path.dirname(shown) === '.' ? '' : `${path.dirname(shown)}/`;
  const author = text.replaceAll(/(^|[\s@])\S*?\bjs\/app\//gm, `$1${folder}`);
  const said = /Exception while evaluating top-level script\n(?<said>.*)\n(?:[^]*?\nStack:\n(?<stack>[^]*))?/.exec(author)?.groups;
  return said ? [said.said, ...(said.stack ?? '').split('\n').filter((line) => /@\S+:\d+/.test(line))].join('\n') : author;
}

async function componentize(start, wit, output, shown) {
  const tool = await loadTool();
  let made;
  try {
    // WASI stays as it is, but for HTTP, which no stage may use: clocks, random numbers and the console work.
    made = await tool({ sourcePath: start, witPath: wit, worldName: 'stage', disableFeatures: ['http', 'fetch-event'] });
  } catch (error) {
    if (error instanceof UnknownBindings) throw new Missing(`componentize-js is not of the version this SDK is made for: ${error.message}`);
    throw new Wrong(readable(error.message, shown));
  }
  mkdirSync(path.dirname(output), { recursive: true });
  const temporary = path.join(path.dirname(output), `.${path.basename(output)}.${process.pid}`);
  try {
    writeFileSync(temporary, made.component);
    renameSync(temporary, output);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function main() {
  const { values, positionals: [entry, ...more] } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: 'string' }, 'work-dir': { type: 'string' }, 'wit-dir': { type: 'string' }, world: { type: 'string' }, scan: { type: 'boolean' },
    },
  });
  if (entry === undefined || more.length > 0) throw new Missing('usage: build.js SOURCE --output OUT --work-dir DIR --wit-dir DIR [--world WORLD], or --scan');
  if (!values.scan && !(values.output && values['work-dir'] && values['wit-dir'])) throw new Missing('--output, --work-dir and --wit-dir are needed, or --scan');
  const inputs = findInputs(entry);
  const shown = path.relative(process.cwd(), path.resolve(entry));
  const stage = findStage(shown, inputs.get(path.resolve(entry)).text);
  const { world, glue } = chooseWorld(stage, values.world, shown);
  if (!values.scan) {
    const work = path.resolve(values['work-dir']);
    writeWit(path.join(work, 'wit'), values['wit-dir'], world, stage.acknowledges);
    const start = writeModules(path.join(work, 'js'), inputs, entry, stage, { world, glue });
    await componentize(start, path.join(work, 'wit'), path.resolve(values.output), shown);
  }
  console.log(JSON.stringify({ role: stage.role, name: stage.name, world: `${world}@${CONTRACT}`, inputs: [...inputs.keys()].sort() }));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Wrong || error instanceof Missing || error.code ? error.message : error);
  process.exitCode = error instanceof Wrong ? 1 : 2;
}
