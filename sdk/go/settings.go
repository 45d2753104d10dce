package torvyn

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Where settings go, and what stood there before any came.
var settings struct {
	target   reflect.Value
	defaults reflect.Value
}

// Settings names the struct that the component's settings are put into before its first element. What stands in it now are
// the defaults.
//
//	var settings = struct {
//		Pattern string `torvyn:"pattern,main,required"`
//		Invert  bool   `torvyn:"invert"`
//	}{}
//
// In a pipeline `./grep.wasm pattern=ERR invert=true` sets both, and `./grep.wasm ERR` the main one. Fields are strings,
// numbers, bools, time.Durations ("1.5s"), or slices of strings, which a text sets split at commas. A field without a tag has its own name in
// lower case. A setting that no field has is an error, as is a value that does not fit its field.
func Settings(target any) {
	value := reflect.ValueOf(target)
	if value.Kind() != reflect.Pointer || value.Elem().Kind() != reflect.Struct {
		panic("torvyn: Settings takes a pointer to a struct")
	}
	settings.target = value.Elem()
	settings.defaults = reflect.New(value.Elem().Type()).Elem()
	settings.defaults.Set(value.Elem())
	for _, field := range settingsFields() {
		if kind := field.value.Type(); !slices.Contains(settable, kind.Kind()) || kind.Kind() == reflect.Slice && kind != texts {
			panic(fmt.Sprintf("torvyn: the setting `%s` is of type %s, which settings cannot have", field.name, kind))
		}
	}
}

var texts = reflect.TypeFor[[]string]()

var settable = []reflect.Kind{
	reflect.String, reflect.Bool, reflect.Slice,
	reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
	reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
	reflect.Float32, reflect.Float64,
}

type field struct {
	name           string
	main, required bool
	value          reflect.Value
}

func settingsFields() []field {
	if !settings.target.IsValid() {
		return nil
	}
	var fields []field
	for i := range settings.target.NumField() {
		about := settings.target.Type().Field(i)
		if !about.IsExported() {
			continue
		}
		words := strings.Split(about.Tag.Get("torvyn"), ",")
		name := words[0]
		if name == "" {
			name = strings.ToLower(about.Name)
		}
		fields = append(fields, field{name, slices.Contains(words[1:], "main"), slices.Contains(words[1:], "required"), settings.target.Field(i)})
	}
	return fields
}

// Reads what the host gives `init`: a JSON object, or bare text, which is the main setting. The key "" is that one too.
func readSettings(config string) error {
	given := map[string]json.RawMessage{}
	config = strings.TrimSpace(config)
	if strings.HasPrefix(config, "{") {
		if err := json.Unmarshal([]byte(config), &given); err != nil {
			return Errorf(InvalidInput, "the settings are not a JSON object: %w", err)
		}
	} else if config != "" {
		given[""], _ = json.Marshal(config) // a text always has a JSON form
	}

	if settings.target.IsValid() {
		settings.target.Set(settings.defaults)
	}
	fields := settingsFields()
	for i := range fields {
		field := &fields[i]
		key := field.name
		if _, found := given[key]; !found && field.main {
			key = ""
		}
		value, found := given[key]
		delete(given, key)
		if found {
			if err := field.set(value); err != nil {
				return err
			}
		} else if field.required {
			return Errorf(InvalidInput, "the setting `%s` is missing", field.name)
		}
	}
	if len(given) > 0 {
		return unknownSetting(slices.Min(slices.Collect(maps.Keys(given))), fields)
	}
	return nil
}

func unknownSetting(name string, fields []field) error {
	what := fmt.Sprintf("there is no setting `%s`", name)
	if name == "" {
		what = "there is no main setting: say which one the text is for"
	}
	if len(fields) == 0 {
		return Errorf(InvalidInput, "%s; this component has none", what)
	}
	var names []string
	for _, field := range fields {
		names = append(names, "`"+field.name+"`")
	}
	return Errorf(InvalidInput, "%s; the settings are %s", what, strings.Join(names, ", "))
}

func (f *field) set(given json.RawMessage) error {
	text := string(given)
	switch given[0] {
	case '"':
		if err := json.Unmarshal(given, &text); err != nil {
			return Errorf(InvalidInput, "`%s` is not a text: %w", f.name, err)
		}
	case '[':
		var list []string
		if f.value.Type() != texts || json.Unmarshal(given, &list) != nil {
			return Errorf(InvalidInput, "`%s` is a list, which it cannot be", f.name)
		}
		f.value.Set(reflect.ValueOf(list))
		return nil
	case '{', 'n':
		return Errorf(InvalidInput, "`%s` is neither a text, a number, true nor false", f.name)
	}
	wrong := func(what string) error { return Errorf(InvalidInput, "`%s` is \"%s\", not %s", f.name, text, what) }

	if f.value.Type() == reflect.TypeFor[time.Duration]() {
		duration, err := time.ParseDuration(text)
		if err != nil {
			return wrong("a duration such as 1.5s or 2m")
		}
		f.value.SetInt(int64(duration))
		return nil
	}
	switch f.value.Kind() {
	case reflect.String:
		f.value.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return wrong("true or false")
		}
		f.value.SetBool(text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(text, 10, f.value.Type().Bits())
		if err != nil {
			return wrong("a whole number" + rangeOf(err))
		}
		f.value.SetInt(number)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		number, err := strconv.ParseUint(text, 10, f.value.Type().Bits())
		if err != nil {
			return wrong("a whole number from 0 on" + rangeOf(err))
		}
		f.value.SetUint(number)
	case reflect.Float32, reflect.Float64:
		number, err := strconv.ParseFloat(text, f.value.Type().Bits())
		if err != nil {
			return wrong("a number" + rangeOf(err))
		}
		f.value.SetFloat(number)
	case reflect.Slice:
		f.value.Set(reflect.ValueOf(strings.Split(text, ",")))
	}
	return nil
}

func rangeOf(err error) string {
	if strings.HasSuffix(err.Error(), strconv.ErrRange.Error()) {
		return " that fits"
	}
	return ""
}
