//go:build !wasip1

package torvyn

import (
	"fmt"
	"os"
)

// Outside of Torvyn, in tests, messages go to stderr, and nothing is granted.

func hostLog(level Level, text string) { fmt.Fprintf(os.Stderr, "%s: %s\n", level, text) }

func hostHasCapability(string) bool { return false }
