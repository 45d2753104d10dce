// Mends the bindings that componentize-js 0.23 makes, which run in every call of a stage, and in an engine that interprets.
//
// * Each call of the host, and each of the host's, is told to a debug log that cannot be turned on inside a component: an object is made for
//   it each time. A tenth of what a call of a stage costs.
// * What is borrowed for a call is given back when it returns, and is registered for the garbage collector to give back as well. Where no
//   method unregistered it, its number is given back a second time, and may be another handle's by then.

/** There are bindings, but not such as this module knows. */
export class UnknownBindings extends Error {}

const LOGGED = /^ *_debugLog\('[^'\n]*'(?:, \{[^{}]*\})?\);\n/gm;
const REGISTERED = /^ *finalizationRegistry_\S+\.register\((?:\w+, ){2}\w+\);\n(?= *curResourceBorrows\.push\()/gm;
const BORROWED = /curResourceBorrows\.push\(/g;
const HANDLE = /Object\.defineProperty\((\w+), symbolRscHandle, \{ writable: true, value: (\w+) ?\}\);/g;

/** The bindings without that. Throws UnknownBindings where they look otherwise than they should. */
export function lean(bindings) {
  const borrowed = bindings.match(BORROWED)?.length ?? 0;
  const registered = bindings.match(REGISTERED)?.length ?? 0;
  if (registered !== borrowed) throw new UnknownBindings(`${borrowed} borrowed handles, ${registered} of them registered`);
  if (bindings.search(LOGGED) < 0) throw new UnknownBindings('no debug log');
  return bindings.replace(LOGGED, '').replace(REGISTERED, '').replace(HANDLE, '$1[symbolRscHandle] = $2;');
}
