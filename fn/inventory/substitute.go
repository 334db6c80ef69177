package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/reason"
)

// unknown encloses the name of a variable whose value is not in the
// repository. It is from Unicode's private use area, so no manifest has it.
const unknown = "\uE000"

// substituteKey is the label or annotation that turns substitution off.
const substituteKey = "kustomize.toolkit.fluxcd.io/substitute"

// varName is what kustomize-controller takes for the name of a variable.
var varName = regexp.MustCompile("^[_[:alpha:]][_[:alpha:][:digit:]]*$")

// variables are the values for one Flux Kustomization.
type variables struct {
	values map[string]string
	// open is set if a ConfigMap or Secret that may hold more is not in the
	// repository.
	open bool
}

// valuesOf reads the data of a ConfigMap or Secret. An encrypted value is
// there, but unknown. So is that of a Secret: names are made of values, and
// names are printed.
func valuesOf(object map[string]any) map[string]string {
	out := stringMap(object["data"])
	maps.Copy(out, stringMap(object["stringData"]))
	for k, v := range out {
		if strings.HasPrefix(v, "ENC[") || object["kind"] == "Secret" {
			v = unknown + k + unknown
		}
		out[k] = strings.ReplaceAll(v, "\n", "")
	}
	return out
}

// stringMap returns the strings in a map.
func stringMap(v any) map[string]string {
	out := map[string]string{}
	m, _ := v.(map[string]any)
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// check refuses what kustomize-controller would refuse.
func (v variables) check() error {
	for name := range v.values {
		if !varName.MatchString(name) {
			return fmt.Errorf("%q is not a name for a variable", name)
		}
	}
	return nil
}

// errUnknown says that substitution failed for want of a value that is not in
// the repository; with the value it may well succeed.
var errUnknown = errors.New("a value is not in the repository")

// apply substitutes in one object. It returns the object as it was where
// there is nothing to substitute.
func (v variables) apply(o *object) (*object, error) {
	if len(v.values) == 0 && !v.open || !o.dollar ||
		o.labels[substituteKey] == Disabled || o.annotations[substituteKey] == Disabled {
		return o, nil
	}
	text, err := o.text()
	if err != nil {
		return nil, err
	}
	text, guessed, err := v.eval(text)
	var content map[string]any
	if err == nil {
		err = reason.Of(yaml.Unmarshal([]byte(text), &content))
	}
	switch {
	case err != nil && guessed:
		return nil, fmt.Errorf("%s: variable substitution: %w: %w", o.ID, errUnknown, err)
	case err != nil:
		return nil, fmt.Errorf("%s: variable substitution: %w", o.ID, err)
	}
	return o.with(content), nil
}

// eval substitutes in a text and says whether an unknown value took part.
func (v variables) eval(text string) (out string, guessed bool, err error) {
	budget, factor := limit.Size, growth(text)
	out, err = reason.With(envsubst.Eval(text, func(name string) (string, bool) {
		value, ok := v.values[name]
		if !ok && v.open {
			value = unknown + name + unknown
		}
		guessed = guessed || strings.Contains(value, unknown)
		budget -= len(value) * factor
		return value, budget >= 0
	}))
	if budget < 0 {
		return "", guessed, errTooLong
	}
	return out, guessed, err
}

// errTooLong says that substitution would make a text that is too large.
var errTooLong = fmt.Errorf("the values of its variables are %w", limit.ErrSize)

// replacing is an expression that puts something in the place of each match
// in a value, such as ${name//one/two}.
var replacing = regexp.MustCompile(`\$\{\w+/[^}]*`)

// growth is how many times longer than the value an expression can make it.
func growth(text string) int {
	longest := 1
	for _, expression := range replacing.FindAllString(text, -1) {
		longest = max(longest, len(expression))
	}
	return longest
}

// finishKey is what the finished form of a build depends on.
type finishKey struct {
	result *rendered
	inputs string
}

// finished is a build after substitution and common metadata.
type finished struct {
	objects []*object
	broken  string
	unknown []string
}

// finish substitutes variables and adds common metadata, once for each set of
// inputs.
func (r *renderer) finish(result *rendered, vars variables, common map[string]any) *finished {
	inputs, _ := json.Marshal([]any{vars.values, vars.open, common}) // read from JSON
	key := finishKey{result, string(inputs)}
	if _, ok := r.finished[key]; !ok {
		r.finished[key] = finishOnce(result.objects, vars, common)
	}
	return r.finished[key]
}

// finishOnce is finish without the memory.
func finishOnce(objects []*object, vars variables, common map[string]any) *finished {
	f := &finished{}
	if err := vars.check(); err != nil {
		f.broken = err.Error()
	}
	labels, annotations := stringMap(common["labels"]), stringMap(common["annotations"])
	for _, object := range objects {
		done, err := vars.apply(object)
		switch {
		case errors.Is(err, errUnknown):
			f.unknown = append(f.unknown, err.Error())
			done = object
		case err != nil:
			f.broken = err.Error()
			done = object
		}
		if len(labels)+len(annotations) > 0 {
			done = done.withMetadata(labels, annotations)
		}
		f.objects = append(f.objects, done)
	}
	return f
}
