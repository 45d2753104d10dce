/* overflow: recurses without an end, at the element whose sequence is `at`. */
#include "torvyn/managed_transform.h"

#include "../components/c/overflow.c"
