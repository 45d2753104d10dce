/* spin: never returns from the element whose sequence is `at`. */
#include "torvyn/managed_transform.h"

#include "../components/c/spin.c"
