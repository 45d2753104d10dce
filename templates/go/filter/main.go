// {{name}} keeps the elements that contain a text.
package main

import (
	"bytes"

	"torvyn.dev/torvyn"
)

// What the node's config sets; these are the defaults.
var settings = struct {
	Pattern string `torvyn:"pattern,main,required"`
	Invert  bool   `torvyn:"invert"` // keep the others
}{}

func init() {
	torvyn.Settings(&settings)
	torvyn.Filter(keep)
}

// keep says which elements go on. They are passed on as they are, without a copy.
func keep(in torvyn.Element) (bool, error) {
	return bytes.Contains(in.Bytes(), []byte(settings.Pattern)) != settings.Invert, nil
}

func main() {} // a component has none: the host calls keep
