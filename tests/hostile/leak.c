/* leak: from the element whose sequence is `at`, keeps the mutable handle of every output. */
#include "torvyn/managed_transform.h"

#include "../components/c/leak.c"
