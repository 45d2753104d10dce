// The source gives lines as sensors would send them: "kitchen 20.5". Every tenth is broken.
package main

import (
	"fmt"
	"io"

	"torvyn.dev/torvyn"
)

// What the node's config sets; these are the defaults.
var settings = struct {
	Count int `torvyn:"count,main"` // lines
}{Count: 20}

var rooms = [...]string{"kitchen", "attic", "cellar"}

// How many lines were given so far.
var given int

func init() {
	torvyn.Settings(&settings)
	torvyn.OnStart(func() error {
		given = 0
		return nil
	})
	torvyn.Source(next)
}

// next is asked for the next element, again and again; io.EOF ends the stream.
func next(out *torvyn.Output) error {
	if given == settings.Count {
		return io.EOF
	}
	out.EmitText(line(given))
	given++
	return nil
}

func line(n int) string {
	room := n % len(rooms)
	if n%10 == 9 {
		return rooms[room] + " ?"
	}
	return fmt.Sprintf("%s %.1f", rooms[room], 18+float64(room)+float64(n%4)/2)
}

func main() {} // a component has none: the host calls next
