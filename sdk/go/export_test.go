package torvyn

import (
	"reflect"

	"torvyn.dev/torvyn/internal/host"
)

// Reset makes room for another component in the same program.
func Reset() {
	component.role, component.also, component.start, component.stop = "", nil, nil, nil
	settings.target, settings.defaults = reflect.Value{}, reflect.Value{}
	reflect.ValueOf(&host.Guest).Elem().SetZero()
}
