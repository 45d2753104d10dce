package torvyn_test

import (
	"fmt"
	"testing"
	"time"

	"torvyn.dev/torvyn"
	"torvyn.dev/torvyn/torvyntest"
)

type options struct {
	Pattern string `torvyn:"pattern,main"`
	Invert  bool   `torvyn:"invert"`
	Count   uint16
	Offset  int           `torvyn:"offset"`
	Ratio   float64       `torvyn:"ratio"`
	Wait    time.Duration `torvyn:"wait"`
	Tags    []string      `torvyn:"tags"`
	hidden  int
}

func startWith(t *testing.T, settings any, config string) error {
	t.Helper()
	torvyn.Reset()
	t.Cleanup(torvyn.Reset)
	torvyn.Settings(settings)
	torvyn.Filter(func(torvyn.Element) (bool, error) { return true, nil })
	_, err := torvyntest.TryStart(t, config)
	return err
}

func TestSettingsAreReadIntoTheirFields(t *testing.T) {
	defaults := options{Count: 3, hidden: 1}
	for config, want := range map[string]options{
		"":            defaults,
		"{}":          defaults,
		"ERR":         {Pattern: "ERR", Count: 3, hidden: 1},
		`{"": "a b"}`: {Pattern: "a b", Count: 3, hidden: 1},
		// All texts, as a pipeline string gives them.
		`{"pattern":"x","invert":"true","count":"7","offset":"-2","ratio":"0.5","wait":"1.5s","tags":"a,b"}`: {"x", true, 7, -2, 0.5, 1500 * time.Millisecond, []string{"a", "b"}, 1},
		// Values with types, as a manifest gives them.
		`{"invert":true,"count":7,"offset":-2,"ratio":0.5,"tags":["a","b,c"]}`: {"", true, 7, -2, 0.5, 0, []string{"a", "b,c"}, 1},
	} {
		got := defaults
		if err := startWith(t, &got, config); err != nil {
			t.Errorf("%s: %v", config, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s gave %+v, not %+v", config, got, want)
		}
	}
}

func TestSettingsThatDoNotFitAreRefused(t *testing.T) {
	for config, words := range map[string]string{
		`{"patern": "x"}`:    "there is no setting `patern`; the settings are `pattern`, `invert`, `count`, `offset`, `ratio`, `wait`, `tags`",
		`{"count": -1}`:      "`count` is \"-1\", not a whole number from 0 on",
		`{"count": 70000}`:   "`count` is \"70000\", not a whole number from 0 on that fits",
		`{"offset": "1.5"}`:  "`offset` is \"1.5\", not a whole number",
		`{"ratio": "half"}`:  "`ratio` is \"half\", not a number",
		`{"invert": "yes"}`:  "`invert` is \"yes\", not true or false",
		`{"wait": "3"}`:      "`wait` is \"3\", not a duration such as 1.5s or 2m",
		`{"pattern": {}}`:    "`pattern` is neither a text, a number, true nor false",
		`{"pattern": ["a"]}`: "`pattern` is a list, which it cannot be",
		`{"tags": [1]}`:      "`tags` is a list, which it cannot be",
		`{"pattern": null}`:  "`pattern` is neither a text, a number, true nor false",
		`{"count": 1} x`:     "the settings are not a JSON object",
		`{"pattern"`:         "the settings are not a JSON object",
		`{"hidden": 1}`:      "there is no setting `hidden`",
	} {
		err := startWith(t, &options{}, config)
		wantError(t, err, torvyn.InvalidInput, words)
	}
}

func TestRequiredSettingsAreMissed(t *testing.T) {
	required := struct {
		Path string `torvyn:"path,required"`
	}{}
	wantError(t, startWith(t, &required, ""), torvyn.InvalidInput, "the setting `path` is missing")
	wantError(t, startWith(t, &required, "x"), torvyn.InvalidInput, "the setting `path` is missing")
	if err := startWith(t, &required, `{"path": ""}`); err != nil {
		t.Errorf("an empty path was refused: %v", err)
	}
}

func TestTextWithoutAMainSettingIsRefused(t *testing.T) {
	named := struct{ Path string }{}
	wantError(t, startWith(t, &named, "x"), torvyn.InvalidInput, "there is no main setting")
}

func TestSettingsOfAnotherTypeAreRefusedAtOnce(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a map was taken")
		}
	}()
	startWith(t, &struct{ Table map[string]int }{}, "")
}

func TestDefaultsComeBackWithTheNextStart(t *testing.T) {
	settings := struct{ Count int }{Count: 1}
	torvyn.Reset()
	defer torvyn.Reset()
	torvyn.Settings(&settings)
	torvyn.Filter(func(torvyn.Element) (bool, error) { return true, nil })
	torvyntest.Start(t, `{"count": 2}`)
	if torvyntest.Start(t, ""); settings.Count != 1 {
		t.Errorf("the count is %d", settings.Count)
	}
}
