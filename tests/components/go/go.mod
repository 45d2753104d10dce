module components

go 1.24

require torvyn.dev/torvyn v0.1.0

replace torvyn.dev/torvyn => ../../../sdk/go
