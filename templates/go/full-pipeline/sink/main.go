// The sink sums readings up, and prints the mean of each room at the end.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"torvyn.dev/torvyn"

	"{{name}}/reading"
)

type sum struct {
	readings int
	celsius  float64
}

// By room.
var sums map[string]sum

func init() {
	torvyn.OnStart(func() error {
		sums = map[string]sum{}
		return nil
	})
	torvyn.Sink(take)
	torvyn.OnComplete(func() error {
		for _, line := range report() {
			fmt.Println(line)
		}
		return nil
	})
}

// take is called for each element.
func take(in torvyn.Element) error {
	var r reading.Reading
	if err := json.Unmarshal(in.Bytes(), &r); err != nil {
		return torvyn.Errorf(torvyn.InvalidInput, "no reading: %w", err)
	}
	so := sums[r.Room]
	sums[r.Room] = sum{so.readings + 1, so.celsius + r.Celsius}
	return nil
}

func report() []string {
	var lines []string
	for _, room := range slices.Sorted(maps.Keys(sums)) {
		so := sums[room]
		lines = append(lines, fmt.Sprintf("%s: %.2f °C, the mean of %d", room, so.celsius/float64(so.readings), so.readings))
	}
	return lines
}

func main() {} // a component has none: the host calls take
