// Logs sizes and sums; asks for a pause after every so many elements.
package main

import (
	"fmt"

	"torvyn.dev/torvyn"
)

var settings = struct {
	Quiet bool `torvyn:"quiet"`
	Pause int  `torvyn:"pause"`
}{}

var elements, bytes int

func init() {
	torvyn.Settings(&settings)
	torvyn.Sink(func(in torvyn.Element) error {
		elements++
		bytes += len(in.Bytes())
		if !settings.Quiet {
			torvyn.Logf(torvyn.LevelInfo, "%d: %q", in.Sequence(), in.Bytes())
		}
		if settings.Pause > 0 && elements%settings.Pause == 0 {
			torvyn.Pause()
		}
		return nil
	})
	torvyn.OnComplete(func() error {
		fmt.Printf("complete: %d elements, %d bytes\n", elements, bytes)
		return nil
	})
	torvyn.OnStop(func() { torvyn.Logf(torvyn.LevelInfo, "stopped") })
}

func main() {}
