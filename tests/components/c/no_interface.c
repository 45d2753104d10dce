/* no-interface: a component without any interface of Torvyn's. */
#include "torvyn/greeter.h"

void exports_test_worlds_greeting_greet(torvyn_string_t* result) { torvyn_string_dup(result, "hello"); }
