// Takes whole runs: gives each element with its place in the run; one that is "bad" is an error.
package main

import (
	"fmt"
	"strings"

	"torvyn.dev/torvyn"
)

func init() { torvyn.BatchProcessor(process) }

func process(run *torvyn.Run, out *torvyn.Output) error {
	for i, in := range run.All() {
		if strings.HasPrefix(in.Text(), "bad") {
			return run.Fail(i, torvyn.Errorf(torvyn.InvalidInput, "bad at %d of %d", i, run.Len()))
		}
		out.From(i)
		out.EmitText(fmt.Sprintf("%d of %d: %s", i, run.Len(), in.Text()))
	}
	return nil
}

func main() {}
