/* hog: allocates until no more memory is given, at the element whose sequence is `at`. */
#include "torvyn/managed_transform.h"

#include "../components/c/hog.c"
