package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// decode reads an agent's JSON into out. A field that out doesn't have is ignored, and one that is left out keeps its
// value, since the agent may be older or newer than the dashboard.
func decode(body []byte, out any) error {
	if err := checkJSON(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fleet.Invalid(plan.FieldErrors{typeFault("", err)})
	}
	return nil
}

// checkJSON separates what is no JSON from what is the wrong one.
func checkJSON(body []byte) error {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return fleet.Errorf(fleet.Malformed, "a JSON body is needed")
	case !utf8.Valid(body):
		return fleet.Errorf(fleet.Malformed, "the body is not valid UTF-8")
	case !json.Valid(body):
		return fleet.Errorf(fleet.Malformed, "the body is not valid JSON")
	}
	return nil
}

// patch applies a JSON merge patch (RFC 7396) to what doc points to, a struct. Field names are taken to the letter and
// must be known. null gives a field the value that it has in defaults, a struct of the same type; without defaults it is
// refused. Every fault is reported.
func patch[T any](doc *T, body []byte, defaults *T) error {
	if err := checkJSON(body); err != nil {
		return err
	}
	var changes map[string]json.RawMessage
	if err := json.Unmarshal(body, &changes); err != nil || changes == nil {
		return fleet.Invalid(plan.FieldErrors{{Message: "must be an object"}})
	}
	fields := jsonFields(reflect.ValueOf(doc).Elem())
	var defaultFields map[string]reflect.Value
	if defaults != nil {
		defaultFields = jsonFields(reflect.ValueOf(defaults).Elem())
	}
	var faults plan.FieldErrors
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		field, known := fields[name]
		if !known {
			faults.Add(cutRunes(name, 60), "there is no such field")
			continue
		}
		if string(changes[name]) == "null" && defaults != nil {
			field.Set(defaultFields[name])
			continue
		}
		if err := patchField(field, changes[name]); err != nil {
			faults = append(faults, typeFault(name, err))
		}
	}
	if len(faults) > 0 {
		return fleet.Invalid(faults)
	}
	return nil
}

// jsonFields are the fields of a struct by their JSON names.
func jsonFields(v reflect.Value) map[string]reflect.Value {
	out := make(map[string]reflect.Value, v.NumField())
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		if name != "" && name != "-" {
			out[name] = v.Field(i)
		}
	}
	return out
}

// patchField sets one field. A map of strings is merged: null takes an entry away.
func patchField(field reflect.Value, raw json.RawMessage) error {
	if string(raw) == "null" {
		return &json.UnmarshalTypeError{Value: "null", Type: field.Type()}
	}
	old, isMap := field.Interface().(map[string]string)
	if !isMap {
		fresh := reflect.New(field.Type())
		if err := json.Unmarshal(raw, fresh.Interface()); err != nil {
			return err
		}
		field.Set(fresh.Elem())
		return nil
	}
	var changes map[string]*string
	if err := json.Unmarshal(raw, &changes); err != nil {
		return err
	}
	merged := maps.Clone(old)
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
			continue
		}
		if merged == nil {
			merged = map[string]string{}
		}
		merged[name] = *value
	}
	field.Set(reflect.ValueOf(merged))
	return nil
}

// typeFault says what was wanted at a field; what came is not repeated.
func typeFault(field string, err error) plan.FieldError {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return plan.FieldError{Field: field, Message: err.Error()} // of a time or of base64, which repeat 40 bytes at most
	}
	inner := strings.TrimPrefix(wrong.Field, "RunStart.") // a RunEnd embeds it, which JSON does not show
	switch {
	case field == "":
		field = inner
	case inner != "":
		field += "." + inner
	}
	return plan.FieldError{Field: field, Message: "must be " + kindName(wrong.Type)}
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return kindName(t.Elem())
	}
	return "an object"
}
