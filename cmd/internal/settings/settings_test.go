package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/cmd/internal/settings"
)

type config struct {
	Secret string `env:"SECRET"`
	Count  int    `env:"COUNT" envDefault:"3"`
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := write("good", "from a file\n")
	for _, tc := range []struct {
		name    string
		environ []string
		want    config
		err     string // part of the error; "" is none
	}{
		{"defaults", nil, config{"", 3}, ""},
		{"set", []string{"SECRET=s", "COUNT=4"}, config{"s", 4}, ""},
		{"empty is unset", []string{"COUNT="}, config{"", 3}, ""},
		{"a value with =", []string{"SECRET=a=b"}, config{"a=b", 3}, ""},
		{"from a file", []string{"SECRET_FILE=" + good}, config{"from a file", 3}, ""},
		{"both", []string{"SECRET=s", "SECRET_FILE=" + good}, config{}, "SECRET and SECRET_FILE are both set"},
		{"no such file", []string{"SECRET_FILE=" + filepath.Join(dir, "none")}, config{}, "SECRET_FILE: open"},
		{"empty file", []string{"SECRET_FILE=" + write("empty", "\n")}, config{}, "is empty"},
		{"huge file", []string{"SECRET_FILE=" + write("huge", strings.Repeat("x", 70<<10))}, config{}, "has over 65536 bytes"},
		{"placeholder", []string{"SECRET=CHANGE_ME_NOW"}, config{}, "SECRET is still the placeholder"},
		{"placeholder password", []string{"SECRET=admin:CHANGE_ME"}, config{}, "SECRET is still the placeholder"},
		{"placeholder in a rotation", []string{"SECRET=good,CHANGE_ME"}, config{}, "SECRET is still the placeholder"},
		{"no number", []string{"COUNT=many"}, config{}, "COUNT: strconv"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got config
			err := settings.Load(&got, tc.environ, "SECRET")
			if tc.err == "" {
				if err != nil || got != tc.want {
					t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v; want %q", err, tc.err)
			}
		})
	}
}

func TestLogger(t *testing.T) {
	var out strings.Builder
	log, err := settings.Logger("info", "json", &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("hidden")
	log.Info("shown")
	if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, `"msg":"shown"`) {
		t.Errorf("log %q; want JSON of the info line alone", got)
	}
	for _, bad := range [][2]string{{"loud", "text"}, {"info", "xml"}} {
		if _, err := settings.Logger(bad[0], bad[1], &out); err == nil {
			t.Errorf("Logger(%q, %q) took it", bad[0], bad[1])
		}
	}
}
