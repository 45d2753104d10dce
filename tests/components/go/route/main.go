// Sends each element to the ports that its words name.
package main

import (
	"strings"

	"torvyn.dev/torvyn"
)

func init() {
	torvyn.Router(func(in torvyn.Element) ([]string, error) { return strings.Fields(in.Text()), nil })
}

func main() {}
