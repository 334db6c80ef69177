package golden

import (
	"math/rand/v2"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/instance"
)

// prove proves what holds for every case.
func prove(t *testing.T, list []byte, got outcome) {
	t.Run("items", func(t *testing.T) { proveItems(t, list, got) })
	t.Run("any order", func(t *testing.T) { proveOrder(t, list, got) })
	t.Run("again", func(t *testing.T) { proveAgain(t, list, got) })
	t.Run("readers", func(t *testing.T) {
		proveReaders(t, list, got)
		proveBytes(t, list, got)
	})
}

// proveItems proves what holds for the output of every run: an Error leaves the items as they were and says the same on
// stderr; what is not meant to change comes out byte-identical; what is new parses; the results obey the specification.
func proveItems(t *testing.T, list []byte, got outcome) {
	before, after := texts(t, list), texts(t, []byte(got.text))
	if !strings.Contains(got.text, "\nitems:") {
		t.Error("the output has no items")
	}
	for _, at := range union(after, nil) {
		text := after[at]
		was, there := before[at]
		if there && was != text && meansTheSame(t, was, text) {
			t.Errorf("%s says the same, but not in the same bytes:\n%s", at, difference(was, text))
		}
		if !there {
			proveNew(t, at, text)
		}
	}
	proveError(t, got, before, after)
	for _, result := range got.results {
		proveResult(t, result)
	}
}

// unparsable is an argument that kubectl get refuses: of several resources with names, each is an argument of its own.
// Source: k8s.io/cli-runtime v0.34.1, splitResourceTypeName.
var unparsable = regexp.MustCompile(`kubectl (-n \S+ )?get \S*/\S*,`)

// proveError proves that an Error is told in the results, on stderr and by the exit code, and that nothing was changed.
func proveError(t *testing.T, got outcome, before, after tree) {
	t.Helper()
	var messages []string
	for _, result := range got.results {
		if result.Severity == framework.Error {
			messages = append(messages, result.Message)
		}
	}
	if got.err == nil && len(messages) > 0 {
		t.Error("there is a result of severity error, and the exit code is 0")
	}
	if got.err == nil {
		return
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("there is an Error, and the items are not what they were:\n%s", differences(before, after))
	}
	said := got.err.Error()
	for _, message := range messages {
		if !strings.Contains(said, message) {
			t.Errorf("stderr does not say %q", message)
		}
	}
	if count := strings.Count("\n"+said, "\n[error] "); count != len(messages) {
		t.Errorf("stderr has %d errors, the results have %d:\n%s", count, len(messages), said)
	}
}

// proveResult holds a result against the KRM functions specification.
func proveResult(t *testing.T, r *framework.Result) {
	t.Helper()
	if r.Message == "" || !slices.Contains([]framework.Severity{framework.Error, framework.Warning, framework.Info}, r.Severity) {
		t.Errorf("a result has no message or a wrong severity: %+v", r)
	}
	if unparsable.MatchString(r.Message) {
		t.Errorf("kubectl refuses what a result says to run: %s", r.Message)
	}
	if r.Field != nil && r.ResourceRef == nil {
		t.Errorf("a result has a field, but no resourceRef: %s", r.Message)
	}
	if ref := r.ResourceRef; ref != nil && (ref.APIVersion == "" || ref.Kind == "" || ref.Name == "" && ref.APIVersion != "kustomize.config.k8s.io/v1beta1") {
		t.Errorf("a resourceRef is not whole: %+v: %s", ref, r.Message)
	}
	if f := r.File; f != nil && (f.Path == "" || path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || strings.Contains(f.Path, "\\") || strings.HasPrefix(f.Path, "../")) {
		t.Errorf("the path of a file is not relative and clean: %q", f.Path)
	}
}

// proveNew proves that a new item is one Kubernetes object, and that Flux Operator builds a new FluxInstance.
func proveNew(t *testing.T, at, text string) {
	t.Helper()
	var o map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &o); err != nil {
		t.Errorf("%s is not YAML: %v", at, err)
		return
	}
	item := kyaml.MustParse(text)
	if item.GetApiVersion() == "" || item.GetKind() == "" || item.GetName() == "" && item.GetKind() != "Kustomization" {
		t.Errorf("%s is not a whole object:\n%s", at, text)
	}
	if item.GetKind() == "FluxInstance" {
		if _, err := instance.Render(o); err != nil {
			t.Errorf("%s does not build: %v", at, err)
		}
	}
}

// meansTheSame reports whether two texts are the same YAML.
func meansTheSame(t *testing.T, a, b string) bool {
	t.Helper()
	var am, bm any
	if err := yaml.Unmarshal([]byte(a), &am); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(b), &bm); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(am, bm)
}

// proveOrder proves that the order of the items does not matter.
func proveOrder(t *testing.T, list []byte, want outcome) {
	items := itemsOf(t, list)
	config := functionConfig(t, list)
	for seed := range uint64(2) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		got := run(encode(t, items, config))
		if want, have := texts(t, []byte(want.text)), texts(t, []byte(got.text)); !reflect.DeepEqual(want, have) {
			t.Errorf("shuffled with seed %d, the items are others:\n%s", seed, differences(want, have))
		}
		if want, have := want.resultsText(t), got.resultsText(t); want != have {
			t.Errorf("shuffled with seed %d, the results are others:\n%s", seed, difference(want, have))
		}
	}
}

// proveAgain proves that a second run finds nothing to do and nothing wrong.
func proveAgain(t *testing.T, list []byte, first outcome) {
	config := functionConfig(t, list)
	if first.err != nil {
		return
	}
	again := encode(t, itemsOf(t, []byte(first.text)), config)
	second := run(again)
	if second.err != nil {
		t.Errorf("the second run fails: %v", second.err)
	}
	if want, have := texts(t, again), texts(t, []byte(second.text)); !reflect.DeepEqual(want, have) {
		t.Errorf("the second run changes the items:\n%s", differences(want, have))
	}
}

// functionConfig is the config that a ResourceList carries.
func functionConfig(t *testing.T, list []byte) []byte {
	t.Helper()
	var read struct {
		FunctionConfig any `json:"functionConfig"`
	}
	if err := yaml.Unmarshal(list, &read); err != nil {
		t.Fatal(err)
	}
	if read.FunctionConfig == nil {
		return nil
	}
	text, err := yaml.Marshal(read.FunctionConfig)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
