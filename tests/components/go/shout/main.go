// Upper case, `times` times, with a prefix.
package main

import (
	"bytes"

	"torvyn.dev/torvyn"
)

var settings = struct {
	Prefix string `torvyn:"prefix,main"`
	Times  int    `torvyn:"times"`
}{Times: 1}

func init() {
	torvyn.Settings(&settings)
	torvyn.Processor(shout)
}

func shout(in torvyn.Element, out *torvyn.Output) error {
	for range settings.Times {
		out.EmitText(settings.Prefix + string(bytes.ToUpper(in.Bytes())))
	}
	return nil
}

func main() {}
