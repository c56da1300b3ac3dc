// Package settings reads a command's environment into a struct: once, with secrets from files, and with errors that
// name the variable. It is the only reader of environment variables; main hands it os.Environ().
package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/sirupsen/logrus"
)

// maxSecretFile bounds a *_FILE in bytes.
const maxSecretFile = 64 << 10

// Load parses environ ("KEY=value" lines, as of os.Environ) into dst, a pointer to a struct with `env` tags. Each
// variable named in secrets may instead come from the file that NAME_FILE names, as Docker and Kubernetes mount
// secrets; white space at its end is cut off. Both at once is an error, and so is a secret that still is a CHANGE_ME
// placeholder. Errors name the variable, never a secret's value.
func Load(dst any, environ []string, secrets ...string) error {
	vars := env.ToMap(environ)
	for _, name := range secrets {
		if err := fromFile(vars, name); err != nil {
			return err
		}
		for part := range strings.SplitSeq(vars[name], ",") {
			if _, password, ok := strings.Cut(part, ":"); ok && strings.HasPrefix(password, "CHANGE_ME") || strings.HasPrefix(part, "CHANGE_ME") {
				return fmt.Errorf("%s is still the placeholder CHANGE_ME; set a secret of your own", name)
			}
		}
	}
	// Compose files hand over unset variables as empty ones: both mean the default.
	for name, value := range vars {
		if value == "" {
			delete(vars, name)
		}
	}
	if err := env.ParseWithOptions(dst, env.Options{Environment: vars}); err != nil {
		return describe(dst, err)
	}
	return nil
}

func fromFile(vars map[string]string, name string) error {
	file := vars[name+"_FILE"]
	if file == "" {
		return nil
	}
	if vars[name] != "" {
		return fmt.Errorf("%s and %s_FILE are both set; keep one", name, name)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("%s_FILE: %w", name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return fmt.Errorf("%s_FILE: %w", name, err)
	}
	if len(text) > maxSecretFile {
		return fmt.Errorf("%s_FILE: %s has over %d bytes", name, file, maxSecretFile)
	}
	secret := strings.TrimRight(string(text), " \t\r\n")
	if secret == "" {
		return fmt.Errorf("%s_FILE: %s is empty", name, file)
	}
	vars[name] = secret
	return nil
}

// describe words the library's error, which names the struct's field, for the person who set the variable.
func describe(dst any, err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var out []error
	for _, e := range all.Errors {
		var parse env.ParseError
		if errors.As(e, &parse) {
			field, _ := reflect.TypeOf(dst).Elem().FieldByName(parse.Name)
			name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
			e = fmt.Errorf("%s: %w", name, parse.Err)
		}
		out = append(out, e)
	}
	return errors.Join(out...)
}

// Logger returns the process's one logger. level is one of logrus's names, format text or json.
func Logger(level, format string, w io.Writer) (*logrus.Logger, error) {
	log := logrus.New()
	log.SetOutput(w)
	l, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("LOG_LEVEL: %q is none of trace, debug, info, warning, error", level)
	}
	log.SetLevel(l)
	switch format {
	case "text":
		log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, DisableColors: true})
	case "json":
		log.SetFormatter(&logrus.JSONFormatter{})
	default:
		return nil, fmt.Errorf("LOG_FORMAT: %q is none of text, json", format)
	}
	return log, nil
}
