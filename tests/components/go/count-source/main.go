// Gives "hello 0" and so on, `burst` with each call, and is told what became of them.
package main

import (
	"fmt"
	"io"

	"torvyn.dev/torvyn"
)

var settings = struct {
	Count int `torvyn:"count,main"`
	Burst int `torvyn:"burst"`
}{Count: 10, Burst: 1}

var given int

var acknowledged uint64

func init() {
	torvyn.Settings(&settings)
	torvyn.Source(next)
	torvyn.OnAcknowledge(func(upTo uint64) { acknowledged = upTo })
	torvyn.OnStop(func() { torvyn.Logf(torvyn.LevelInfo, "%d given, %d acknowledged", given, acknowledged) })
}

func next(out *torvyn.Output) error {
	for range settings.Burst {
		if given == settings.Count {
			return io.EOF
		}
		out.EmitText(fmt.Sprintf("hello %d\n", given))
		given++
	}
	return nil
}

func main() {}
