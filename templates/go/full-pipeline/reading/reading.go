// Package reading is what the stages say to each other.
package reading

// Reading is what a sensor measured.
type Reading struct {
	Room    string  `json:"room"`
	Celsius float64 `json:"celsius"`
}
