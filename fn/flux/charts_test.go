package flux

import (
	"reflect"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

func values(t *testing.T, text string) map[string]any {
	t.Helper()
	var read map[string]any
	if err := yaml.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestChartInstance(t *testing.T) {
	sync := "instance: {sync: {url: u, kind: GitRepository, ref: main, path: ./, name: home}}"
	for _, test := range []struct {
		name, version, values string
		field                 []string
		want                  any
		ignored, err          string
	}{
		{"what is not said comes from the chart", "0.49.0", "{}", []string{"distribution", "artifact"},
			"oci://ghcr.io/controlplaneio-fluxcd/flux-operator-manifests:latest", "", ""},
		{"an empty text is left out", "0.49.0", `instance: {distribution: {artifact: ""}}`, []string{"distribution", "artifact"}, nil, "", ""},
		{"null takes a default away", "0.49.0", `instance: {distribution: {artifact: null}}`, []string{"distribution", "artifact"}, nil, "", ""},
		{"no sync without a url", "0.49.0", "instance: {sync: {name: home}}", []string{"sync"}, nil, "", ""},
		{"sync.name", "0.13.0", sync, []string{"sync", "name"}, "home", "", ""},
		{"sync.name before the chart knew it", "0.12.0", sync, []string{"sync", "name"}, nil, "instance.sync.name", ""},
		{"a field of the cluster that the chart does not list", "0.49.0", "instance: {cluster: {objectLevelWorkloadIdentity: true}}",
			[]string{"cluster", "objectLevelWorkloadIdentity"}, true, "", ""},
		{"storage of shards", "0.49.0", "instance: {sharding: {shards: [a], storage: persistent}}", []string{"sharding", "storage"}, nil, "instance.sharding.storage", ""},
		{"wait", "0.49.0", "instance: {wait: false}", []string{"wait"}, nil, "instance.wait", ""},
		{"a component that the schema does not list", "0.29.0", "instance: {components: [source-watcher]}", []string{"sync"}, nil, "", "does not know source-watcher"},
		{"a size that the schema does not list", "0.49.0", "instance: {cluster: {size: tiny}}", []string{"sync"}, nil, "", "does not know \"tiny\""},
		{"a version in quotes", "0.48.0", `instance: {distribution: {version: "2.6"}}`, []string{"distribution", "version"}, "2.6", "", ""},
		{"a version without quotes", "0.47.0", `instance: {distribution: {version: "2.6"}}`, []string{"sync"}, nil, "", "without quotes"},
		{"a range without quotes", "0.47.0", `instance: {distribution: {version: ">=2.6.0 <2.7.0"}}`, []string{"sync"}, nil, "", "without quotes"},
		{"a reference that looks like a number", "0.49.0", `instance: {sync: {url: u, ref: "1.10"}}`, []string{"components"}, nil, "", "without quotes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ignored, err := ChartInstance(semver.MustParse(test.version), "flux-system", values(t, test.values))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil || strings.Join(ignored, ",") != test.ignored {
				t.Fatalf("ignored %q, error %v; want %q", ignored, err, test.ignored)
			}
			var at any = got["spec"]
			for _, key := range test.field {
				m, _ := at.(map[string]any)
				at = m[key]
			}
			if !reflect.DeepEqual(at, test.want) {
				t.Errorf("%v = %v, want %v", test.field, at, test.want)
			}
		})
	}
}

// TestChartPublished knows the releases of Flux Operator that never had charts.
func TestChartPublished(t *testing.T) {
	for version, want := range map[string]bool{"0.37.1": true, "0.38.0": false, "0.42.0": false, "0.42.1": true, "99.0.0": true} {
		if got := ChartPublished(semver.MustParse(version)); got != want {
			t.Errorf("%s: %v, want %v", version, got, want)
		}
	}
}
