// The processor makes JSON of lines such as "kitchen 20.5".
package main

import (
	"encoding/json"
	"strconv"
	"strings"

	"torvyn.dev/torvyn"

	"{{name}}/reading"
)

func init() { torvyn.Processor(parse) }

// parse is called for each element. A line that is no reading is an error about that line alone: what becomes of it,
// the node's on_error says.
func parse(in torvyn.Element, out *torvyn.Output) error {
	line := in.Text()
	room, number, found := strings.Cut(line, " ")
	celsius, err := strconv.ParseFloat(number, 64)
	if !found || err != nil {
		return torvyn.Errorf(torvyn.InvalidInput, "%q is no reading", line)
	}
	encoded, err := json.Marshal(reading.Reading{Room: room, Celsius: celsius})
	if err != nil {
		return err
	}
	out.SetContentType("application/json")
	out.Emit(encoded)
	return nil
}

func main() {} // a component has none: the host calls parse
