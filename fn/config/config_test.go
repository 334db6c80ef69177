package config

import (
	"reflect"
	"strings"
	"testing"
)

const head = "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nmetadata:\n  name: migrate\n"

// every has a value other than the default for every field.
var every = Config{
	Phase:     Cleanup,
	TakenOver: true,
	Clusters:  []string{"./a", "./b"},
	Operator:  Operator{Version: "0.32.0", Install: HelmRelease, Values: map[string]any{"web": map[string]any{"enabled": false}}, Kustomization: "one", Release: "two", Charts: "oci://mirror:5000/charts"},
	Instance:  Instance{Form: HelmRelease, Version: "2.6.x", Kustomization: "three", Release: "four"},
	Sync:      Sync{Mode: Adopt, Path: "./c"},
	OutputDir: "d/e",
	Bootstrap: Shell,
	Proof:     Off,
	Report:    On,
}

const everyField = `phase: cleanup
takenOver: true
clusters: [./a, ./b]
operator: {version: v0.32.0, install: HelmRelease, values: {web: {enabled: false}}, kustomization: one, release: two, charts: "oci://mirror:5000/charts/"}
instance: {form: HelmRelease, version: 2.6.x, kustomization: three, release: four}
sync: {mode: adopt, path: ./c}
outputDir: d/e
bootstrap: shell
proof: off
report: on
`

const everyKey = `apiVersion: v1
kind: ConfigMap
metadata: {name: migrate}
data:
  phase: cleanup
  takenOver: "true"
  clusters: ./a,./b
  operator.version: v0.32.0
  operator.install: HelmRelease
  operator.values: "web: {enabled: false}"
  operator.kustomization: one
  operator.release: two
  operator.charts: oci://mirror:5000/charts
  instance.form: HelmRelease
  instance.version: 2.6.x
  instance.kustomization: three
  instance.release: four
  sync.mode: adopt
  sync.path: ./c
  outputDir: d/e
  bootstrap: shell
  proof: "off"
  report: "on"
`

func TestParse(t *testing.T) {
	keep := Default()
	keep.Sync.Mode = Keep
	external := Default()
	external.Operator.Install = External
	for _, c := range []struct {
		name, text string
		want       Config
	}{
		{"nothing", "", Default()},
		{"null", "null\n", Default()},
		{"no field", head, Default()},
		{"every field", head + everyField, every},
		{"every key of a ConfigMap", everyKey, every},
		{"a ConfigMap without data", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: migrate}\n", Default()},
		{"one field of a group keeps the others", head + "sync: {mode: keep}\n", keep},
		{"an external operator", head + "operator: {install: external}\n", external},
		{"an empty group", head + "sync: {}\noperator:\n", Default()},
		{"JSON", `{"apiVersion": "fn.kpt.dev/v1alpha1", "kind": "MigrateToFluxOperator", "metadata": {"name": "x"}, "sync": {"mode": "keep"}}`, keep},
		{"annotations of a pipeline", strings.Replace(head, "name: migrate\n", "name: migrate\n  annotations: {internal.config.kubernetes.io/path: fn.yaml}\n", 1), Default()},
	} {
		t.Run(c.name, func(t *testing.T) {
			have, err := Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(have, c.want) {
				t.Errorf("want %+v, have %+v", c.want, have)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown field", head + "oprator: {}\n", `unknown config field "oprator"`},
		{"an unknown field of a group", head + "operator: {vresion: 1}\n", `unknown config field "operator.vresion"`},
		{"a field of a group at the top", head + "version: 0.59.0\n", `unknown config field "version"`},
		{"a field in other case", head + "TakenOver: true\n", `unknown config field "TakenOver"`},
		{"a field twice", head + "phase: deploy\nphase: cleanup\n", `line 6: a key is there twice`},
		{"a group in other case", head + "Sync: {mode: keep}\n", `unknown config field "Sync.mode"`},
		{"a field of a group in other case", head + "sync: {Mode: keep}\n", `unknown config field "sync.Mode"`},
		{"a number for text", head + "operator: {version: 0.58}\n", `field operator.version: a number where a text is expected`},
		{"a spec", head + "spec: {phase: deploy}\n", `unknown config field "spec.phase"`},
		{"another type", head + "takenOver: maybe\n", `field takenOver: a text where a boolean is expected`},
		{"a list that is text", head + "clusters: ./a\n", `field clusters: a text where a list is expected`},
		{"an unknown key", "apiVersion: v1\nkind: ConfigMap\ndata: {operator.vresion: '1'}\n", `unknown config field "operator.vresion"`},
		{"a wrong truth in a ConfigMap", "apiVersion: v1\nkind: ConfigMap\ndata: {takenOver: 'yes'}\n", `config field takenOver: "yes" is not true or false`},
		{"wrong values in a ConfigMap", "apiVersion: v1\nkind: ConfigMap\ndata: {operator.values: '[1]'}\n", `config field operator.values`},
		{"binaryData in a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nbinaryData: {phase: ZGVwbG95}\n", "a field that is not known: binaryData"},
		{"another kind", "apiVersion: fn.kpt.dev/v1alpha1\nkind: SetLabels\n", "SetLabels"},
		{"another version", "apiVersion: fn.kpt.dev/v1\nkind: MigrateToFluxOperator\n", "fn.kpt.dev/v1 MigrateToFluxOperator"},
		{"no YAML", "a: [\n", "not YAML"},
		{"a phase", head + "phase: destroy\n", `config field phase is "destroy": use one of deploy, cleanup`},
		{"an empty phase", head + "phase: ''\n", `config field phase is ""`},
		{"an install", head + "operator: {install: helm}\n", `config field operator.install is "helm"`},
		{"a form", head + "instance: {form: Chart}\n", `config field instance.form is "Chart"`},
		{"a mode", head + "sync: {mode: move}\n", `config field sync.mode is "move"`},
		{"a bootstrap", head + "bootstrap: bash\n", `config field bootstrap is "bash"`},
		{"Terraform and a release", head + "bootstrap: terraform\ninstance: {form: HelmRelease}\n", `config field bootstrap: terraform applies a FluxInstance`},
		{"a proof", head + "proof: 'true'\n", `config field proof is "true"`},
		{"a proof that is a number", head + "proof: 1\n", `1 is neither on nor off`},
		{"no version", head + "instance: {version: ''}\n", `config field instance.version is empty`},
		{"keep and a path", head + "sync: {mode: keep, path: ./x}\n", `config field sync.path needs sync.mode adopt`},
		{"external and values", head + "operator: {install: external, values: {a: 1}}\n", `config field operator.values needs operator.install HelmRelease`},
		{"an absolute folder", head + "outputDir: /tmp\n", `config field outputDir is "/tmp"`},
		{"a path outside", head + "sync: {path: ../x}\n", `config field sync.path is "../x"`},
		{"a folder outside", head + "outputDir: a/../../b\n", `config field outputDir is "a/../../b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want %q, have %v", c.want, err)
			}
			for _, noise := range []string{"unmarshal", "json:", "Go struct", "config.document", "interface"} {
				if strings.Contains(err.Error(), noise) {
					t.Errorf("the error speaks of the program: %v", err)
				}
			}
		})
	}
}

// TestFields proves that every field can be set by its name, and that no field is without one.
func TestFields(t *testing.T) {
	values := map[string]string{"phase": Cleanup, "takenOver": "true", "clusters": "./a ./b", "operator.version": "v0.32.0", "operator.install": HelmRelease,
		"operator.values": "web: {enabled: false}", "operator.kustomization": "one", "operator.release": "two", "operator.charts": "oci://mirror:5000/charts", "instance.kustomization": "three", "instance.release": "four", "instance.form": HelmRelease, "instance.version": "2.6.x", "sync.mode": Adopt, "sync.path": "./c",
		"outputDir": "d/e", "bootstrap": Shell, "proof": Off, "report": On}
	config := Default()
	for _, name := range Fields() {
		value, known := values[name]
		if !known {
			t.Errorf("field %s is not tested", name)
		}
		if err := config.Set(name, value); err != nil {
			t.Errorf("field %s: %v", name, err)
		}
	}
	if !reflect.DeepEqual(config, every) {
		t.Errorf("want %+v, have %+v", every, config)
	}
	if want, have := len(Fields()), leaves(reflect.TypeFor[Config]()); want != have {
		t.Errorf("there are %d names for %d fields", want, have)
	}
}

// leaves counts the fields of a struct and of the structs in it.
func leaves(t reflect.Type) int {
	if t.Kind() != reflect.Struct {
		return 1
	}
	n := 0
	for field := range t.NumField() {
		n += leaves(t.Field(field).Type)
	}
	return n
}
