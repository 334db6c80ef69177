package config

import (
	"reflect"
	"testing"
)

// FuzzParse reads any config: what is taken is valid, and reads the same again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nphase: cleanup\ntakenOver: true\nclusters: [./a]\noperator: {version: 0.59.0, values: {a: {b: 1}}}\ninstance: {version: 2.6.x}\nsync: {mode: keep}\noutputDir: flux\n",
		"apiVersion: v1\nkind: ConfigMap\ndata: {phase: cleanup, takenOver: 'true', clusters: 'a,b', operator.values: '{a: 1}'}\n",
		"apiVersion: v1\nkind: ConfigMap\ndata: {operator.version: '>=1 ||'}\n", "kind: {}\n", "a: &a [*a]\n", "phase: !!binary aGk=\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := Parse(text)
		if err != nil {
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("taken, and not valid: %v", err)
		}
		if again, err := Parse(text); err != nil || !reflect.DeepEqual(cfg, again) {
			t.Errorf("%v and %v, %v", cfg, again, err)
		}
	})
}
