package pages

import (
	"errors"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/nollagluiz/broadside/fleet"
)

// siteForm adds or edits a target.
type siteForm struct {
	Action          string
	Basic, Advanced []input
	AdvancedOpen    bool
	Revision        int64  // of the target that is edited; 0 for a new one
	Problem         string // what is wrong with the whole
	Agents          int    // online: each runs the target
	TotalVUs        int    // of a target that is edited
}

// input is one control with its label, its hint and what is wrong with it.
type input struct {
	Name, ID, Kind      string
	Label, Hint, Unit   string
	Value               string
	Checked             bool
	Min, Max, Step      string
	Rows                int // of an area
	Options             []option
	Required, Autofocus bool
	Fault               fault
}

// DescribedBy is the ids of the words that explain the control.
func (i input) DescribedBy() string {
	var ids []string
	if i.Hint != "" {
		ids = append(ids, i.ID+"-hint")
	}
	if i.Fault.Message != "" {
		ids = append(ids, i.ID+"-error")
	}
	return strings.Join(ids, " ")
}

// fault is why a field is refused. The words of Target.Validate are English.
type fault struct {
	Message string
	English bool
}

type faults map[string]fault

// apply sets the target's fields as the form has them. A field that the form left out keeps its value, but a box that
// is not ticked is not sent.
func apply(l *locale, t *fleet.Target, form url.Values) faults {
	found := faults{}
	for _, f := range targetFields {
		if f.kind != "checkbox" && !form.Has(f.name) {
			continue
		}
		if err := f.set(t, form.Get(f.name)); err != nil {
			found[f.name] = fault{Message: l.text(err.Error())}
		}
	}
	return found
}

// unreadable is what apply finds. Where that is something, the other fields are validated too, so that all faults are
// shown at once; else it is for the dashboard to validate.
func unreadable(l *locale, t fleet.Target, form url.Values) faults {
	found := apply(l, &t, form)
	if len(found) == 0 {
		return found
	}
	if err := t.Validate(); err != nil {
		others, _ := refusal(l, fleet.Invalid(err))
		// Whether *** stands for something is known where the target is.
		maps.DeleteFunc(others, func(name string, _ fault) bool { return strings.Contains(form.Get(name), fleet.Hidden) })
		maps.Copy(others, found)
		return others
	}
	return found
}

// shownFaults is how many of those of k6's options are shown at once.
const shownFaults = 5

// refusal turns a validation error into faults by field; ok is false for any other error. Bounds of numbers are said
// in the reader's language and in the unit of the form, which may not be that of the API.
func refusal(l *locale, err error) (found faults, ok bool) {
	var known *fleet.Error
	if !errors.As(err, &known) || known.Code != fleet.ValidationFailed || len(known.Fields) == 0 {
		return nil, false
	}
	found = faults{}
	options := 0
	for _, fe := range known.Fields {
		if _, twice := found[fe.Field]; twice {
			continue
		}
		if path, inside := strings.CutPrefix(fe.Field, "options."); inside { // one control for all of them
			message := path + ": " + fe.Message
			if earlier := found["options"].Message; earlier != "" {
				message = earlier + "; " + message
			}
			if options++; options <= shownFaults {
				found["options"] = fault{message, true}
			}
			continue
		}
		found[fe.Field] = fault{fe.Message, true}
		for _, f := range targetFields {
			if f.name == fe.Field && f.kind == "number" {
				found[fe.Field] = fault{Message: l.text("error.range", "min", f.amount(l, plain(f.min)), "max", f.amount(l, plain(f.max)))}
			}
		}
	}
	return found, true
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// newSiteForm shows the target t, or what was typed where that is not nil.
func newSiteForm(l *locale, t fleet.Target, typed url.Values, found faults) siteForm {
	form := siteForm{Revision: t.Revision}
	focused := false
	for _, f := range targetFields {
		in := input{
			Name: f.name, ID: "f-" + f.name, Kind: f.kind, Unit: f.unit, Step: f.step, Rows: f.rows,
			Label: l.text("field." + f.name), Hint: l.words["hint."+f.name],
			Value: f.get(t), Required: f.kind == "url" || f.kind == "number", Fault: found[f.name],
		}
		if f.kind == "number" {
			in.Min, in.Max = plain(f.min), plain(f.max)
		}
		if typed.Has(f.name) || typed != nil && f.kind == "checkbox" {
			in.Value = typed.Get(f.name)
		}
		in.Checked = f.kind == "checkbox" && in.Value != ""
		for _, o := range f.options {
			in.Options = append(in.Options, option{o, l.text("http." + o), o == in.Value})
		}
		if in.Fault.Message != "" && !focused {
			in.Autofocus, focused = true, true
		}
		if f.advanced {
			form.Advanced = append(form.Advanced, in)
			form.AdvancedOpen = form.AdvancedOpen || in.Fault.Message != ""
		} else {
			form.Basic = append(form.Basic, in)
		}
	}
	if len(found) > 0 {
		form.Problem = l.count("form.faults", len(found))
	}
	return form
}
