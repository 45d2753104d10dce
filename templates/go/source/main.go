// {{name}} gives numbered elements.
package main

import (
	"fmt"
	"io"

	"torvyn.dev/torvyn"
)

// What the node's config sets; these are the defaults.
var settings = struct {
	Count uint64 `torvyn:"count,main"` // how many
}{Count: 10}

// How many were given so far.
var given uint64

func init() {
	torvyn.Settings(&settings)
	torvyn.OnStart(func() error {
		given = 0
		return nil
	})
	torvyn.Source(next)
}

// next is asked for the next element, again and again. Where nothing is there yet it emits nothing; io.EOF ends the
// stream.
func next(out *torvyn.Output) error {
	if given == settings.Count {
		return io.EOF
	}
	out.EmitText(fmt.Sprintf("{{name}} %d\n", given))
	given++
	return nil
}

func main() {} // a component has none: the host calls next
