// Keeps what contains `pattern`.
package main

import (
	"strings"

	"torvyn.dev/torvyn"
)

var settings = struct {
	Pattern string `torvyn:"pattern,main"`
}{}

func init() {
	torvyn.Settings(&settings)
	torvyn.Filter(func(in torvyn.Element) (bool, error) {
		return strings.Contains(in.Text(), settings.Pattern), nil
	})
}

func main() {}
