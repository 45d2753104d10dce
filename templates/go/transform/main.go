// {{name}} makes every element upper case and puts a prefix before it.
package main

import (
	"bytes"

	"torvyn.dev/torvyn"
)

// What the node's config sets; these are the defaults.
var settings = struct {
	Prefix string `torvyn:"prefix,main"`
}{}

func init() {
	torvyn.Settings(&settings)
	torvyn.Processor(shout)
}

// shout is called for each element. It may emit none, one or several; an error is about this element alone.
func shout(in torvyn.Element, out *torvyn.Output) error {
	if in.Size() == 0 {
		return torvyn.Errorf(torvyn.InvalidInput, "element %d is empty", in.Sequence())
	}
	out.EmitText(settings.Prefix + string(bytes.ToUpper(in.Bytes())))
	return nil
}

func main() {} // a component has none: the host calls shout
